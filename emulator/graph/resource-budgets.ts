import type { Clock } from '../clock.ts';
import { GraphError } from './graph-error.ts';

/** A budget: so many resource units in each window of milliseconds. */
interface Limit {
  readonly resourceUnits: number;
  readonly windowMs: number;
}

/** A budget as it is set: what is left out is Microsoft's figure. */
export type ThrottleSetting = { readonly [K in keyof Limit]?: Limit[K] | undefined };

/** One request against the budgets. A budget that is null is not kept. */
export interface Charge {
  readonly appId: string;
  readonly tenantId: string;
  /** Of the tenant: its budget goes by its size. */
  readonly users: number;
  readonly units: number;
  /** `x-ms-throttle-priority` as it came. */
  readonly priority: string | undefined;
  /** Of the application in this tenant. */
  readonly tenantLimit: ThrottleSetting | null;
  /** Of the application in all tenants. */
  readonly applicationLimit: ThrottleSetting | null;
}

interface Bucket {
  used: number;
  at: number;
}

/** How full one budget is after a request, and from where on requests of its priority are refused. */
interface Level {
  readonly scope: 'Tenant_Application' | 'Application';
  readonly share: number;
  readonly refusedFrom: number;
  readonly windowMs: number;
  readonly isRefused: boolean;
}

const TELL_ABOVE = 0.8;
/** `x-ms-throttle-limit-percentage` goes to 1.8: usage that is refused counts so far and no further. */
const FULLEST = 1.8;
/**
 * Low priority is throttled first, high last (throttling limits of Graph: additional headers). From which part of the
 * budget on is not documented.
 */
const REFUSED_FROM: Readonly<Record<string, number>> = { low: 0.9, high: 1.1 };

/** Microsoft's token buckets of resource units: each fills evenly, all of it within its window. */
export class ResourceBudgets {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a request; gives the headers of its answer, or throws the 429. What is refused counts as well. */
  charge(charge: Charge): Readonly<Record<string, string>> {
    const { appId, tenantId } = charge;
    const levels = this.#fillAll(charge);
    const headers = usageHeaders(levels);
    const refused = levels.filter((level) => level.isRefused);
    const [first] = refused;
    if (first === undefined) return headers;
    throw new GraphError(429, 'TooManyRequests', 'Too many requests', {
      ...headers,
      'Retry-After': String(Math.max(...refused.map(secondsUntilFree))),
      'x-ms-throttle-scope': `${first.scope}/ReadWrite/${appId}/${tenantId}`,
      'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
    });
  }

  clear(): void {
    this.#buckets.clear();
  }

  #fillAll(charge: Charge): Level[] {
    const { appId, tenantId, users, tenantLimit, applicationLimit } = charge;
    const levels: Level[] = [];
    if (tenantLimit !== null) {
      const limit = orDefault(tenantLimit, { resourceUnits: unitsBySize(users), windowMs: 10_000 });
      levels.push(this.#fill(`${appId}/${tenantId}`, 'Tenant_Application', limit, charge));
    }
    if (applicationLimit !== null) {
      const limit = orDefault(applicationLimit, { resourceUnits: 150_000, windowMs: 20_000 });
      levels.push(this.#fill(appId, 'Application', limit, charge));
    }
    return levels;
  }

  /** A request passes while there is any room, so that a budget smaller than its cost does not refuse it for ever. */
  #fill(key: string, scope: Level['scope'], { resourceUnits, windowMs }: Limit, charge: Charge): Level {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { used: 0, at: now };
    const before = Math.max(0, bucket.used - ((now - bucket.at) * resourceUnits) / windowMs);
    const used = Math.min(before + charge.units, resourceUnits * FULLEST);
    this.#buckets.set(key, { used, at: now });
    const refusedFrom = REFUSED_FROM[charge.priority?.toLowerCase() ?? ''] ?? 1;
    const isRefused = before >= resourceUnits * refusedFrom;
    return { scope, share: used / resourceUnits, refusedFrom, windowMs, isRefused };
  }
}

function orDefault({ resourceUnits, windowMs }: ThrottleSetting, limit: Limit): Limit {
  return { resourceUnits: resourceUnits ?? limit.resourceUnits, windowMs: windowMs ?? limit.windowMs };
}

/** How near the limit is; told only above 0.8 of it. */
function usageHeaders(levels: readonly Level[]): Readonly<Record<string, string>> {
  const share = Math.max(0, ...levels.map((level) => level.share));
  return share > TELL_ABOVE ? { 'x-ms-throttle-limit-percentage': String(Math.ceil(share * 1000) / 1000) } : {};
}

/** Whole seconds after which there is room again, if nobody asks in the meantime. */
function secondsUntilFree({ share, refusedFrom, windowMs }: Level): number {
  return Math.floor(((share - refusedFrom) * windowMs) / 1000) + 1;
}

/** Small below 50 users, medium to 500, large above. */
function unitsBySize(users: number): number {
  if (users < 50) return 3_500;
  return users <= 500 ? 5_000 : 8_000;
}
