import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedEvent } from '../../src/domain/event.ts';
import type { SyncSummary } from '../../src/store/face/tenants.ts';

/** A client of the product's API as a product's engineer would write it: the contract alone. */
export interface TenantJson {
  readonly id: string;
  readonly state: string;
  readonly phase: string;
  readonly paused: boolean;
  readonly problem: {
    readonly code: string;
    readonly title: string;
    readonly who: string;
    readonly blocking: boolean;
  } | null;
  readonly entraTenantId: string | null;
  readonly setupUrl: string;
  readonly counts: { readonly users: number; readonly groups: number; readonly memberships: number };
  readonly lastSync: {
    readonly kind: string;
    readonly startedAt: string;
    readonly completedAt: string;
    readonly pages: number;
  } | null;
  readonly asOf: string | null;
  readonly progress: { readonly kind: string; readonly pages: number } | null;
}

export interface Snapshot {
  readonly cursor: string;
  readonly users: Map<string, Record<string, unknown>>;
  readonly groups: Map<string, Record<string, unknown>>;
  readonly memberships: Map<string, Record<string, unknown>>;
}

export class ApiClient {
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#base}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.request(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  createTenant(body: Record<string, unknown>): Promise<TenantJson> {
    return this.json('POST', '/v1/tenants', body);
  }

  tenant(id: string): Promise<TenantJson> {
    return this.json('GET', `/v1/tenants/${id}`);
  }

  async until(
    id: string,
    what: string,
    holds: (tenant: TenantJson) => boolean,
    timeoutMs = 180_000,
  ): Promise<TenantJson> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const tenant = await this.tenant(id).catch((error: unknown) => {
        // The product may be restarting in the middle of a test that kills it.
        if (Date.now() > end) throw error;
        return undefined;
      });
      if (tenant && holds(tenant)) return tenant;
      if (Date.now() > end) throw new Error(`Waited in vain until ${what}: ${JSON.stringify(tenant)}`);
      await sleep(100);
    }
  }

  /** All lists, with the cursor that was read before any of them: the lists plus the events after it are the truth. */
  async snapshot(id: string): Promise<Snapshot> {
    const users = await this.#stream(`/v1/tenants/${id}/users`);
    const groups = await this.#stream(`/v1/tenants/${id}/groups`);
    const memberships = await this.#stream(`/v1/tenants/${id}/memberships`);
    return {
      cursor: users.cursor,
      users: byKey(users.rows, (row) => String(row['id'])),
      groups: byKey(groups.rows, (row) => String(row['id'])),
      memberships: byKey(memberships.rows, membershipKey),
    };
  }

  /** Every event after the cursor, page by page. */
  async eventsAfter(
    cursor: string,
    tenant?: string,
  ): Promise<{ readonly events: readonly FeedEvent[]; readonly cursor: string }> {
    const events: FeedEvent[] = [];
    let after = cursor;
    for (;;) {
      const filter = tenant === undefined ? '' : `&tenant=${tenant}`;
      const page = await this.json<{ data: FeedEvent[]; cursor: string }>(
        'GET',
        `/v1/events?limit=1000${after === '' ? '' : `&after=${after}`}${filter}`,
      );
      events.push(...page.data);
      after = page.cursor;
      if (page.data.length === 0) return { events, cursor: after };
    }
  }

  /** By its event: a delta round that follows at once takes its place as the tenant's last one. */
  async fullRoundAfter(cursor: string, tenant: string, timeoutMs = 180_000): Promise<SyncSummary> {
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(200)) {
      const { events } = await this.eventsAfter(cursor, tenant);
      const rounds = events.filter(({ type }) => type === 'sync.completed').map(({ data }) => data as SyncSummary);
      const full = rounds.find(({ kind }) => kind === 'full');
      if (full) return full;
    }
    throw new Error(`Waited in vain until a full round of ${tenant} is complete`);
  }

  async #stream(path: string): Promise<{ readonly cursor: string; readonly rows: readonly Record<string, unknown>[] }> {
    const response = await this.request('GET', path, undefined, { Accept: 'application/x-ndjson' });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    return {
      cursor: response.headers.get('Entra-Sync-Cursor') ?? '',
      rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    };
  }
}

export const membershipKey = (row: Readonly<Record<string, unknown>>): string =>
  `${String(row['groupId'])}:${String(row['memberId'])}`;

function byKey(
  rows: readonly Record<string, unknown>[],
  key: (row: Record<string, unknown>) => string,
): Map<string, Record<string, unknown>> {
  const map = new Map(rows.map((row) => [key(row), row] as const));
  if (map.size !== rows.length) throw new Error('A list names something twice');
  return map;
}

/** Applies events to a snapshot, as a consumer would: each carries the whole state after the change. */
export function fold(snapshot: Snapshot, events: readonly FeedEvent[]): Snapshot {
  for (const event of events) {
    const [kind, verb] = event.type.split('.');
    const gone = verb === 'deleted' || verb === 'removed';
    const map =
      kind === 'user'
        ? snapshot.users
        : kind === 'group'
          ? snapshot.groups
          : kind === 'membership'
            ? snapshot.memberships
            : undefined;
    if (gone) map?.delete(event.subject.id);
    else map?.set(event.subject.id, withoutHints(event.data as Record<string, unknown>));
  }
  return snapshot;
}

/** `memberKnown` is a remark of the event, not an attribute of the membership. */
function withoutHints(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'memberKnown'));
}
