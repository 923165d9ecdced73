import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { errorsDocument } from '../../scripts/errors-document.ts';
import { readError } from '../../src/api/consent/decide.ts';
import { TOKEN_FAILURES } from '../../src/domain/activities.ts';
import { AADSTS_CODES } from '../../src/domain/catalogue/aadsts-codes.ts';
import { aadstsIn, describeAadsts, describeGraphCode } from '../../src/domain/catalogue/catalogue.ts';
import type { CodeClass } from '../../src/domain/catalogue/code-entry.ts';
import { GRAPH_CODES } from '../../src/domain/catalogue/graph-codes.ts';
import { REMEDIES, type Owner } from '../../src/domain/catalogue/remedies.ts';
import { describeProblem, PROBLEM_CODES } from '../../src/domain/problem.ts';
import { failureOf } from '../../src/graph/failures.ts';
import { classifyTokenWire } from '../../src/graph/token-failures.ts';

/** One answer of Microsoft's as it comes over the wire; who and which classes it means is Microsoft's documentation, not our table. */
interface Fixture {
  readonly code: string;
  readonly classes: readonly CodeClass[];
  readonly who: Owner;
  readonly token?: Wire;
  readonly graph?: Wire;
  readonly redirect?: { readonly error: string; readonly error_description: string };
}
interface Wire {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

const FIXTURES = readFileSync(new URL('../data/microsoft-errors.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Fixture);
const named = FIXTURES.map((fixture) => [`${fixture.code} ${fixture.graph?.status ?? ''}`, fixture] as const);

/** From the wire to what a person reads, by the code that the product runs. */
function told({ token, graph, redirect, code }: Fixture) {
  if (token) {
    const refusal = classifyTokenWire({
      status: token.status,
      headers: new Headers(token.headers),
      text: JSON.stringify(token.body),
    });
    const { kind: _, failure, ...quoted } = refusal;
    return describeProblem({ code: TOKEN_FAILURES[failure], since: '2026-11-21T12:00:00.000Z', ...quoted });
  }
  if (redirect) {
    const outcome = readError(redirect);
    const own: Readonly<Record<string, string>> = {
      AADSTS65004: 'declined',
      AADSTS90093: 'needs_administrator',
      AADSTS90094: 'needs_administrator',
      AADSTS90095: 'needs_administrator',
    };
    expect(outcome?.kind).toBe(own[code] ?? 'microsoft_error');
    return describeAadsts(aadstsIn(outcome && 'code' in outcome ? outcome.code : '') ?? 0);
  }
  return describeGraphCode(code, graph?.status);
}

describe('the catalogue', () => {
  test('has a fixture for every code, and a code for every fixture', () => {
    const known = [
      ...AADSTS_CODES.flatMap(({ numbers }) => numbers.map((number) => `AADSTS${number}`)),
      ...GRAPH_CODES.flatMap(({ codes }) => codes),
    ];
    expect(known.length).toBeGreaterThan(140);
    expect(new Set(FIXTURES.map(({ code }) => code))).toEqual(new Set(known));
  });

  test.each(named)('tells who must act on %s, what it means, and what to do', (_, fixture) => {
    const { title, who, steps } = told(fixture);
    expect({ who, title }).toEqual({ who: fixture.who, title: expect.stringContaining(fixture.code) });
    expect(steps.length).toBeGreaterThan(0);
    const described = fixture.graph
      ? describeGraphCode(fixture.code, fixture.graph.status)
      : describeAadsts(aadstsIn(fixture.code) ?? 0);
    expect(fixture.classes).toContain(described.class);
  });

  test.each(named.filter(([, { graph }]) => graph))('has a meaning of its own for the answer %s', (_, fixture) => {
    const { status, headers, body } = fixture.graph ?? { status: 0, headers: {}, body: {} };
    const failure = failureOf({ status, headers: new Headers(headers), body, empty: false }, 'entity');
    if (failure.kind === 'refused' || failure.kind === 'forbidden') expect(failure.code).toBe(fixture.code);
    if ('requestId' in failure) expect(failure.requestId).toBe(headers['request-id']);
  });

  test('has no remedy that stands for codes of different owners', () => {
    const owners = new Map<string, Set<Owner>>();
    const note = (steps: readonly string[], who: Owner) =>
      steps.forEach((step) => owners.set(step, (owners.get(step) ?? new Set()).add(who)));
    for (const { remedy, who } of [...AADSTS_CODES, ...GRAPH_CODES]) note(REMEDIES[remedy], who);
    for (const code of PROBLEM_CODES) {
      const { steps, who } = describeProblem({ code, since: '' });
      note(steps, who);
    }
    const shared = [...owners].filter(([, who]) => who.size > 1);
    expect(shared).toEqual([]);
  });

  test('shows a code that nobody knows as it came, and asks to send the request id', () => {
    const unknown = { code: 'token_refused', since: '', aadsts: 4_242_424, requestId: 'req-1' } as const;
    expect(describeProblem(unknown)).toMatchObject({
      title: expect.stringContaining('AADSTS4242424'),
      who: 'product operator',
      steps: [expect.stringMatching(/request id/)],
      requestId: 'req-1',
    });
    expect(describeProblem({ code: 'graph_refused', since: '', graphCode: 'Brand_New' }).title).toContain('Brand_New');
  });

  test('lets a code speak only for the problem that it leads to', () => {
    const young = describeProblem({ code: 'consent_not_effective', since: '', aadsts: 700_016 });
    expect(young).toMatchObject({ who: 'nobody: wait', title: expect.stringContaining('(AADSTS700016)') });
  });

  test('is what docs/errors.md says: npm run docs:errors writes it', async () => {
    const path = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));
    expect(readFileSync(path, 'utf8')).toBe(await errorsDocument(path));
  });
});
