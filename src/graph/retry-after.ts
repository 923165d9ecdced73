const LONGEST_MS = 24 * 60 * 60_000;

/** Retry-After in milliseconds: seconds in every sample of Microsoft's, a date by the rules of HTTP (5.1). */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (!text) return undefined;
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(Math.ceil(wait), 0), LONGEST_MS);
}
