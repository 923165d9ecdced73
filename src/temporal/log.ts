import type { Logger } from 'pino';

/** What this room asks of a logger; pino's is one. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

/**
 * An unknown thrown value as one readable line. Node hides the reason of a failed fetch in `cause`. Told by shape and
 * not by `instanceof`, which is false for an error from another realm.
 */
export function reasonOf(error: unknown): string {
  const message = textOf(error, 'message') || codeOf(error) || textOf(error, 'name');
  const cause = isObject(error) && isObject(error['cause']) ? error['cause'] : undefined;
  const root = textOf(cause, 'message') || codeOf(cause);
  return `${message || String(error)}${root ? `: ${root}` : ''}`;
}

/** Node's error code (`ENOENT`, `ECONNREFUSED`) or gRPC's number, where there is one. */
export function codeOf(error: unknown): string {
  return textOf(error, 'code');
}

function textOf(value: unknown, field: string): string {
  const text = isObject(value) ? value[field] : undefined;
  return typeof text === 'string' || typeof text === 'number' ? String(text) : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
