import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { boundTenant, HASHES, liveTenant } from '../store/rounds.ts';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';

const SECRET = 'the-client-state-of-the-tests';

let api: ApiUnderTest;
let count = 0;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

/** A tenant with a subscription whose secret is known. */
async function subscribed() {
  const { no, id, entraTenantId } = await liveTenant(api.store, (await boundTenant(api.store)).no);
  const subscriptionId = `5522bd62-7c96-4530-85b0-${String(++count).padStart(12, '0')}`;
  const clientStateHash = createHash('sha256').update(SECRET).digest();
  const expiresAt = new Date(Date.now() + 3_600_000);
  await api.store.subscriptions.put(no, { resource: 'users', id: subscriptionId, clientStateHash, expiresAt });
  const item = { subscriptionId, clientState: SECRET, tenantId: entraTenantId, changeType: 'updated' };
  return { no, id, item };
}

const post = (value: readonly unknown[], path = 'notifications') =>
  api.call('POST', `/graph/${path}`, { key: null, body: { value } });
/** How many there were once there were so many, and a while later. */
const hintsOf = async (tenantNo: number, atLeast = 0) => {
  const count = () => api.hinted.filter((hint) => hint.tenantNo === tenantNo).length;
  for (const end = Date.now() + 30_000; count() < atLeast && Date.now() < end;) await sleep(50);
  await sleep(450);
  return count();
};
const beginRound = (tenantNo: number, roundId: string) =>
  api.store.sync.openSlice({ tenantNo, roundId, kind: 'delta', queryHash: HASHES });

describe.each(['notifications', 'lifecycle'])('the validation of /graph/%s', (path) => {
  test('gives the decoded token back as plain text that no browser takes for a page', async () => {
    const token = 'Validation: <script>alert(1)</script> & co';
    const answer = await api.call('POST', `/graph/${path}?validationToken=${encodeURIComponent(token)}`, { key: null });
    expect([answer.status, answer.text]).toEqual([200, token]);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('is refused without a token and without a batch', async () => {
    expect(await api.call('POST', `/graph/${path}`, { key: null })).toMatchObject({ status: 400 });
  });
});

describe('a batch', () => {
  test('leads to one hint for each tenant in it, however often it is told', async () => {
    const [a, b] = [await subscribed(), await subscribed()];
    expect(await post([a.item, b.item, a.item])).toMatchObject({ status: 202, text: '' });
    expect(await post([a.item])).toMatchObject({ status: 202 });
    expect([await hintsOf(a.no, 1), await hintsOf(b.no, 1)]).toEqual([1, 1]);
    expect(api.hinted).toContainEqual({ tenantNo: a.no, tenantId: a.id });
  });

  test('leads to another hint once a round has begun', async () => {
    const { no, item } = await subscribed();
    await post([item]);
    await beginRound(no, 'r1');
    await post([item]);
    await post([item]);
    expect(await hintsOf(no, 2)).toBe(2);
  });

  test('is taken as it comes, and believed only with the right secret, of the right directory', async () => {
    const [mine, other] = [await subscribed(), await subscribed()];
    const forged = [
      { ...mine.item, clientState: 'a guess' },
      { ...mine.item, clientState: `${SECRET}x` },
      { ...mine.item, clientState: undefined },
      { ...mine.item, tenantId: other.item.tenantId },
      { ...mine.item, subscriptionId: '00000000-0000-4000-8000-000000000000' },
      { ...mine.item, subscriptionId: 'x'.repeat(10_000) },
      { ...mine.item, subscriptionId: '\0' },
      null,
      7,
      'text',
      [],
    ];
    expect(await post(forged)).toMatchObject({ status: 202, text: '' });
    expect([await hintsOf(mine.no), await hintsOf(other.no)]).toEqual([0, 0]);
    const { text } = await api.call('GET', '/metrics', { key: null });
    const ignored = /entra_sync_notifications_total\{result="ignored"\} (\d+)/.exec(text)?.[1];
    expect(Number(ignored)).toBe(forged.length);
    expect(api.logged.join('\n')).not.toContain(SECRET);
  });

  test('may write the directory in capitals', async () => {
    const { no, item } = await subscribed();
    await post([{ ...item, tenantId: item.tenantId?.toUpperCase() }]);
    expect(await hintsOf(no, 1)).toBe(1);
  });

  test.each([
    ['no JSON', { raw: '{"value":[' }, 400],
    ['no list', { body: { value: 'x' } }, 400],
    ['another type', { raw: 'x', headers: { 'Content-Type': 'text/plain' } }, 415],
    ['too large a body', { raw: JSON.stringify({ value: ['x'.repeat(5_000_000)] }) }, 413],
  ])('is refused when it is %s', async (_, options, status) => {
    expect((await api.call('POST', '/graph/notifications', { key: null, ...options })).status).toBe(status);
  });

  test('of a tenant that is being deleted leads nowhere', async () => {
    const { no, item } = await subscribed();
    await api.store.intents.add(no, 'delete');
    expect(await post([item])).toMatchObject({ status: 202 });
    expect(await hintsOf(no)).toBe(0);
    await api.store.tenants.purge(no, () => undefined);
    expect(await api.store.subscriptions.of(no)).toEqual([]);
  });
});

test.each(['reauthorizationRequired', 'subscriptionRemoved', 'missed'])(
  'the news %s of a subscription’s life has it looked after with the next round',
  async (lifecycleEvent) => {
    const { no, item } = await subscribed();
    const later = new Date(Date.now() + 3_600_000);
    await api.store.subscriptions.kept(no, { keepAt: later, baseUrl: 'https://a.b', failures: 0, failingSince: null });
    expect(await beginRound(no, 'r1')).toMatchObject({ subscriptions: { keepAt: later, baseUrl: 'https://a.b' } });
    await post([{ ...item, lifecycleEvent }], 'lifecycle');
    expect(await hintsOf(no, 1)).toBe(1);
    const opened = await beginRound(no, 'r1');
    if (typeof opened === 'string' || 'completed' in opened) throw new Error('The round did not open');
    expect(opened.subscriptions?.keepAt.getTime()).toBeLessThanOrEqual(Date.now());
  },
);
