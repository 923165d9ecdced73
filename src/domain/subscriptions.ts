/** Decisions on change notifications. Times are ms since 1970. */

/**
 * How long a subscription is asked for. Graph would give 29 days; it also loses subscriptions of users and groups without a
 * word, which only a renewal finds out. So they live as long as a weekend without a worker, and are renewed each day or two.
 */
export const SUBSCRIPTION_LIFE_MS = 3 * 24 * 60 * 60_000;

const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 60 * 60_000;

/** Half of what is left of the one that ends first, early by up to a tenth so that tenants spread out. */
export function renewalAt(now: number, expiries: readonly number[], random: number): number {
  const left = Math.max(0, Math.min(...expiries) - now);
  return now + (left / 2) * (1 - 0.1 * random);
}

/** Doubles with every failure in a row: notifications are a help, and an address that cannot be reached is asked seldom. */
export function keepRetryMs(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1));
}

/** Whether a tenant's subscriptions must be looked after: `kept` says when at the latest, null where there are none. */
export function isKeepingDue(
  now: number,
  baseUrl: string | undefined,
  kept: { readonly keepAt: number; readonly baseUrl: string | null } | null,
): boolean {
  if (baseUrl === undefined) return kept !== null;
  return kept === null || kept.keepAt <= now || kept.baseUrl !== baseUrl;
}
