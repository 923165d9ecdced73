import type { Logger } from 'pino';

/** What this room asks of a logger; pino's is one. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

/** An unknown thrown value as one readable line. Node hides the reason of a failed fetch in `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message || codeOf(error.cause)}` : '';
  return `${error.message || codeOf(error) || error.name}${cause}`;
}

/** Node's error code (`ENOENT`, `ECONNREFUSED`), where there is one. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
