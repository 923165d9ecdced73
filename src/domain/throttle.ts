/**
 * Decisions on Microsoft's limits (learn.microsoft.com/graph/throttling-limits). Times are ms since 1970, durations ms.
 * Usage counts on while one is throttled, so waiting the stated time is the fastest way out.
 */

/** What an answer tells of the limits. Both are absent at low volume and on some workloads. */
export interface Load {
  /** `x-ms-resource-unit`: what the request cost. */
  readonly units?: number;
  /** `x-ms-throttle-limit-percentage`: the part of the limit that is used, 0.8 to 1.8; told above 0.8 alone. */
  readonly share?: number;
}

/** Whose limit was exceeded: of the application in one tenant, or of the application in all of them. */
export type ThrottleScope = 'tenant' | 'application';

/** Below the 3,500 units that an application has in the smallest tenants, so that others of its requests have room. */
const UNITS_PER_WINDOW = 3_000;
const WINDOW_MS = 10_000;

const SLOW_ABOVE = 0.8;
const STORE_ABOVE = 0.9;
const SLOWEST_MS = 5_000;

/** So long at most is a wait stored: a wrong header must not stop a tenant for days. */
export const LONGEST_STORED_WAIT_MS = 60 * 60_000;

/** How fast one slice may go on; its feeds share it. */
export interface Pace {
  /** No request before this. */
  readonly readyAt: number;
  readonly windowStart: number;
  readonly units: number;
}

export const STEADY: Pace = { readyAt: 0, windowStart: 0, units: 0 };

/** The pace after an answer: slower the nearer the limit is, and not over our own share of units in ten seconds. */
export function paceAfter(pace: Pace, { units = 0, share = 0 }: Load, now: number): Pace {
  const isOver = now - pace.windowStart >= WINDOW_MS;
  const window = isOver ? { windowStart: now, units } : { windowStart: pace.windowStart, units: pace.units + units };
  const spent = window.units >= UNITS_PER_WINDOW ? window.windowStart + WINDOW_MS : 0;
  return { ...window, readyAt: Math.max(pace.readyAt, now + slowdownMs(share), spent) };
}

/** The pace after Microsoft asked to wait: all of the slice waits, not the one request alone. */
export function paceHeld(pace: Pace, waitMs: number, now: number): Pace {
  return { ...pace, readyAt: Math.max(pace.readyAt, now + waitMs) };
}

/** From nothing at 0.8 of the limit to five seconds at 1.8. */
export function slowdownMs(share: number): number {
  return Math.round(Math.min(Math.max(share - SLOW_ABOVE, 0), 1) * SLOWEST_MS);
}

/** Whether other workers must know how near the limit is. */
export function isNearLimit({ share = 0 }: Load): boolean {
  return share > STORE_ABOVE;
}
