import { CompiledQuery } from 'kysely';
import type { Tx } from './schema.ts';

/**
 * COPY: much cheaper than INSERT where rows are new for sure, and an error for the whole transaction where one is not. The
 * connections know it by these words, with the rows in COPY's text format as the only parameter.
 */
export const COPY_FROM_STDIN = /^COPY [\w, ()]+ FROM STDIN$/;

/** Adds rows, given as COPY's text, to a table; rejects with `isDuplicate` where one of them is there already. */
export async function copyRows(tx: Tx, into: string, text: string): Promise<void> {
  if (text === '') return;
  await tx.executeQuery(CompiledQuery.raw(`COPY ${into} FROM STDIN`, [text]));
}

/** Of a value that may hold a backslash, which COPY takes for the beginning of an escape; JSON holds no bare tab or line end. */
export const escaped = (json: string): string => (json.includes('\\') ? json.replaceAll('\\', '\\\\') : json);

const UNIQUE_VIOLATION = '23505';

export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
