import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FeedEvent } from '../../src/domain/event.ts';
import { Deployment, type DirectoryJson } from '../support/deployment.ts';

interface DeliveryJson {
  readonly at: number;
  readonly result: number | string;
  readonly items: readonly { readonly id: string | null }[];
}
interface SubscriptionJson {
  readonly id: string;
  readonly resource: string;
  readonly expirationDateTime: string;
}

const CHANGES = 40;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A deployment that Microsoft can reach, following a directory whose subscriptions stand. */
async function follow(id: string, interval: string, settings: Record<string, unknown>) {
  const deployment = await Deployment.start({ preset: 'none' });
  deployment.env = { SYNC_INTERVAL: interval, NOTIFICATION_URL: deployment.publicUrl };
  const directory = await deployment.directory({
    domain: 'contoso.com',
    users: 60,
    groups: 10,
    settings: { allowHttpNotifications: true, ...settings },
  });
  try {
    deployment.startProduct('all');
    await deployment.ready();
    await deployment.connect(id, directory);
    await deployment.api.until(id, 'it follows', ({ state }) => state === 'delta_sync');
  } catch (error) {
    await deployment.stop();
    throw error;
  }
  return new Followed(deployment, directory, id);
}

class Followed {
  readonly deployment: Deployment;
  readonly directory: DirectoryJson;

  readonly id: string;

  constructor(deployment: Deployment, directory: DirectoryJson, id: string) {
    this.id = id;
    this.deployment = deployment;
    this.directory = directory;
  }

  control<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.deployment.emulator.control<T>(method, `tenants/${this.directory.id}/${path}`, body);
  }

  async subscriptions(): Promise<readonly SubscriptionJson[]> {
    return (await this.control<{ data: SubscriptionJson[] }>('GET', 'subscriptions')).data;
  }

  async untilSubscribed(holds: (all: readonly SubscriptionJson[]) => boolean): Promise<readonly SubscriptionJson[]> {
    const end = Date.now() + 120_000;
    for (;;) {
      const all = await this.subscriptions();
      if (holds(all)) return all;
      if (Date.now() > end) throw new Error(`Subscriptions: ${JSON.stringify(all)}`);
      await wait(50);
    }
  }

  async head(): Promise<string> {
    return (await this.deployment.api.eventsAfter('')).cursor;
  }

  async hire(n: number): Promise<string> {
    const { id } = await this.control<{ id: string }>('POST', 'users', {
      displayName: `Newcomer ${n}`,
      userPrincipalName: `newcomer${n}@contoso.com`,
    });
    return id;
  }

  /** How long a round that is asked for takes here and now: what a notification leads to cannot be quicker. */
  async usualMs(): Promise<number> {
    let longest = 0;
    for (let n = 0; n < 3; n++) {
      const cursor = await this.head();
      const id = await this.hire(10_000 + n);
      const askedAt = Date.now();
      await this.deployment.api.json('POST', `/v1/tenants/${this.id}/sync`);
      const events = await this.eventsOf(new Set([id]), cursor, 60_000);
      longest = Math.max(longest, Date.parse(events.get(id)?.at ?? '') - askedAt);
    }
    return longest;
  }

  /** The events of these objects, once there is one of each. */
  async eventsOf(ids: ReadonlySet<string>, cursor: string, timeoutMs: number): Promise<ReadonlyMap<string, FeedEvent>> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const { events } = await this.deployment.api.eventsAfter(cursor, this.id);
      const found = new Map(events.filter(({ subject }) => ids.has(subject.id)).map((one) => [one.subject.id, one]));
      if (found.size === ids.size) return found;
      if (Date.now() > end) throw new Error(`Only ${found.size} of ${ids.size} changes became events`);
      await wait(50);
    }
  }
}

describe('a directory that tells of its changes', () => {
  let followed: Followed;
  beforeAll(async () => {
    // So long an interval brings nothing while this runs: what arrives was told.
    followed = await follow('told', '1h', { notifications: { duplicate: 0.3, shuffle: true, latencyMs: 100 } });
  }, 240_000);
  afterAll(() => followed?.deployment.stop(), 60_000);

  test('is subscribed to, users and groups, for days', async () => {
    const all = await followed.untilSubscribed((subscriptions) => subscriptions.length === 2);
    expect(all.map(({ resource }) => resource).toSorted()).toEqual(['/groups', '/users']);
    for (const { expirationDateTime } of all) {
      expect(Date.parse(expirationDateTime) - Date.now()).toBeGreaterThan(2 * 24 * 3_600_000);
    }
    // The round for what changed before they began.
    await wait(1_500);
  }, 240_000);

  test('has its changes as events within two seconds of their notifications', async () => {
    const usualMs = await followed.usualMs();
    const cursor = await followed.head();
    await followed.control('DELETE', 'deliveries');
    const ids = new Set<string>();
    for (let n = 0; n < CHANGES; n++) {
      ids.add(await followed.hire(n));
      await wait(Math.random() * 700);
    }
    const events = await followed.eventsOf(ids, cursor, 60_000);
    const { data } = await followed.control<{ data: DeliveryJson[] }>('GET', 'deliveries');
    // One that a busy machine did not answer in time is told again.
    const answers = data.map(({ result }) => result).filter((result) => typeof result === 'number');
    expect(new Set(answers)).toEqual(new Set([202]));
    const latencies = [...events.values()].map(({ subject, at }) => {
      const told = data.find(({ items }) => items.some(({ id }) => id === subject.id));
      return Date.parse(at) - (told?.at ?? 0);
    });
    latencies.sort((a, b) => a - b);
    const at = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? Infinity;
    process.stderr.write(
      `notification to event, ${CHANGES} changes: median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms\n`,
    );
    expect(at(0.95)).toBeLessThan(Math.max(2_000, 4 * usualMs));
  }, 240_000);

  test('has its subscriptions renewed when Microsoft asks, and made anew when one has gone in silence', async () => {
    const before = await followed.subscriptions();
    const users = before.find(({ resource }) => resource === '/users');
    const groups = before.find(({ resource }) => resource === '/groups');
    // Expiry times have whole seconds.
    await wait(1_100);
    await followed.control('POST', 'subscriptions/remove', { id: users?.id });
    await followed.control('POST', 'subscriptions/lifecycle', { event: 'reauthorizationRequired', id: groups?.id });
    // One is made anew, then the other renewed: the directory shows a moment between the two.
    const until = (one: SubscriptionJson | undefined) => Date.parse(one?.expirationDateTime ?? '');
    await followed.untilSubscribed((all) => {
      const madeAnew = all.find(({ resource }) => resource === '/users');
      const renewed = all.find(({ id }) => id === groups?.id);
      return all.length === 2 && madeAnew?.id !== users?.id && until(renewed) > until(groups);
    });
    await wait(1_500);
    const cursor = await followed.head();
    const id = await followed.hire(1_000);
    await followed.eventsOf(new Set([id]), cursor, 60_000);
  }, 240_000);

  test('is not told of any more once the tenant is deleted', async () => {
    await followed.deployment.api.request('DELETE', '/v1/tenants/told');
    await followed.untilSubscribed((all) => all.length === 0);
  }, 240_000);
});

describe('a directory whose notifications are lost', () => {
  let followed: Followed;
  beforeAll(async () => {
    followed = await follow('untold', '2s', { notifications: { drop: 1 } });
  }, 240_000);
  afterAll(() => followed?.deployment.stop(), 60_000);

  test('loses no change: the interval brings each within SYNC_INTERVAL and two seconds', async () => {
    await followed.untilSubscribed((all) => all.length === 2);
    const usualMs = await followed.usualMs();
    const cursor = await followed.head();
    const made = new Map<string, number>();
    for (let n = 0; n < 20; n++) {
      made.set(await followed.hire(n), Date.now());
      await wait(200);
    }
    const events = await followed.eventsOf(new Set(made.keys()), cursor, 60_000);
    const latencies = [...events.values()].map(({ subject, at }) => Date.parse(at) - (made.get(subject.id) ?? 0));
    process.stderr.write(`change to event by the interval of 2 s: longest ${Math.max(...latencies)} ms\n`);
    expect(Math.max(...latencies)).toBeLessThan(2_000 + Math.max(2_000, 4 * usualMs));
    const { data } = await followed.control<{ data: DeliveryJson[] }>('GET', 'deliveries');
    expect(data.every(({ result }) => result === 'dropped')).toBe(true);
    await followed.deployment.expectMirror('untold', followed.directory.id);
  }, 240_000);
});
