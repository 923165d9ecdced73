import { AADSTS_CODES } from './aadsts-codes.ts';
import type { CodeClass, CodeEntry } from './code-entry.ts';
import { GRAPH_CODES, type GraphCodeEntry } from './graph-codes.ts';
import { REMEDIES, type Owner } from './remedies.ts';

/** What pages, diagnostics and problems tell of one of Microsoft's codes. */
export interface DescribedCode {
  /** As Microsoft writes it: `AADSTS700016`, `Authorization_RequestDenied`. */
  readonly code: string;
  readonly class: CodeClass | 'unknown';
  readonly who: Owner;
  readonly title: string;
  readonly steps: readonly string[];
  readonly link: string;
}

const BY_NUMBER: ReadonlyMap<number, CodeEntry> = new Map(
  AADSTS_CODES.flatMap((entry) => entry.numbers.map((number): [number, CodeEntry] => [number, entry])),
);

export const aadstsEntry = (number: number): CodeEntry | undefined => BY_NUMBER.get(number);

/** By code, and by status where one code stands for several things. */
export function graphEntry(code: string, status?: number): GraphCodeEntry | undefined {
  const name = code.toLowerCase();
  const named = GRAPH_CODES.filter(({ codes }) => codes.some((known) => known.toLowerCase() === name));
  return named.find(({ statuses }) => status !== undefined && statuses.includes(status)) ?? named[0];
}

/** A number of the sign-in service in words; one that nobody here knows is shown as it came. */
export function describeAadsts(number: number): DescribedCode {
  const link = `https://login.microsoftonline.com/error?code=${number}`;
  return describe(`AADSTS${number}`, aadstsEntry(number), link);
}

/** A code of Graph's error bodies in words. `status` tells those apart that mean several things. */
export function describeGraphCode(code: string, status?: number): DescribedCode {
  return describe(code, graphEntry(code, status), 'https://learn.microsoft.com/graph/errors');
}

/** The number in an `error_description`, or in a code as we quote it: `AADSTS65004`. */
export function aadstsIn(text: string | null | undefined): number | undefined {
  const digits = /\bAADSTS(\d{4,8})\b/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function describe(code: string, entry: CodeEntry | undefined, link: string): DescribedCode {
  if (entry === undefined) {
    const title = `Microsoft answers with a code that is not known here (${code})`;
    return { code, class: 'unknown', who: 'product operator', title, steps: REMEDIES.unknown, link };
  }
  const { who, cause, remedy } = entry;
  return { code, class: entry.class, who, title: `${cause} (${code})`, steps: REMEDIES[remedy], link };
}
