/**
 * Aborts by the timeout, or by the caller's signal. `AbortSignal.any` holds its parts weakly: a timeout that nobody else holds
 * is garbage before its time, and the request that was to end by it waits for ever. One that is listened to is kept.
 */
export function eitherOf(timeout: AbortSignal, signal: AbortSignal | undefined): AbortSignal {
  if (!signal) return timeout;
  timeout.addEventListener('abort', () => undefined, { once: true });
  return AbortSignal.any([signal, timeout]);
}
