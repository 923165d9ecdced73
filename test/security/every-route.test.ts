import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_KEY, startApi, type Answer, type ApiUnderTest } from '../api/support/api-under-test.ts';
import { group, idOf, round, user } from '../api/support/seed.ts';
import { samplesOf, type Sample } from './requests.ts';

// Every route that the document tells of is asked for as those would who must not: what is added tomorrow is asked for too.

let api: ApiUnderTest;
let samples: readonly Sample[];
let keyId: string;
beforeAll(async () => {
  api = await startApi();
  samples = samplesOf(api.declared.document).filter(({ needsKey }) => needsKey);
  for (const id of ['ours', 'theirs']) {
    await api.call('POST', '/v1/tenants', { body: { id } });
    await round(api.store, id, [user(1)], [group(11, [[1, 'user']])]);
    await round(api.store, id, [user(2)], []);
  }
  keyId = (await make({ role: 'reader' })).id;
});
afterAll(() => api.close());

async function make(body: object): Promise<{ id: string; key: string }> {
  return (await api.call('POST', '/v1/api-keys', { body: { name: 'a test', ...body } })).body;
}
const namesIn = (id: string) => ({ id, keyId, userId: idOf(1), groupId: idOf(11) });
const ask = ({ method, path, body }: Sample, id: string, key: string | null): Promise<Answer> =>
  api.call(method, path(namesIn(id)), { key, body });

/** All that the API shows, and all that was ordered of workflows; not which key was used when. */
async function everything(): Promise<string> {
  const read = ['', '/users', '/groups', '/memberships', '/held'].flatMap((list) =>
    ['ours', 'theirs'].map((id) => `/v1/tenants/${id}${list}`),
  );
  const answers = [];
  for (const path of [...read, '/v1/tenants', '/v1/events?limit=1000', '/v1/audit?limit=1000', '/v1/api-keys']) {
    answers.push((await api.call('GET', path)).text);
  }
  const intents = await api.store.intents.open(-1000);
  const told = JSON.stringify([answers, intents, api.delivered, api.hinted]);
  return told.replaceAll(/\\"lastUsedAt\\":(null|\\"[^"]*\\")/g, '');
}

async function changesNothing(work: () => Promise<void>): Promise<void> {
  const before = await everything();
  await work();
  expect(await everything()).toBe(before);
}

const withoutInstance = ({ status, body }: Answer) => [status, { ...body, instance: '' }];

/** Routes of no one tenant that a key of one tenant may come to: what it sees there is told in the tests of keys. */
const SHARED = new Set(['GET /v1/tenants', 'GET /v1/events', 'POST /v1/signin/exchange']);
/** What changes nothing, though it is no GET. */
const ASKED_BY_POST = new Set([
  'POST /v1/tenants/{id}/access/check',
  'POST /v1/tenants/{id}/scope/preview',
  'POST /v1/signin/exchange',
]);
const nameOf = ({ method, route }: Sample) => `${method} ${route}`;

describe('every route under /v1', () => {
  test('is asked for here, with a body that it takes', async () => {
    expect(samples.length).toBeGreaterThan(30);
    // With a key of all, none of the requests below would fail for its form.
    for (const sample of samples) {
      const id = `fresh-${samples.indexOf(sample)}`;
      await api.call('POST', '/v1/tenants', { body: { id } });
      const { body } = await ask(sample, id, API_KEY);
      expect([nameOf(sample), body?.type]).not.toEqual([nameOf(sample), '/problems/invalid-request']);
    }
  });

  test('needs a key that is known, and does nothing without', async () => {
    const revoked = await make({ role: 'administrator' });
    await api.call('DELETE', `/v1/api-keys/${revoked.id}`);
    await changesNothing(async () => {
      for (const sample of samples) {
        for (const key of [null, 'wrong', revoked.key]) {
          expect([nameOf(sample), (await ask(sample, 'theirs', key)).status]).toEqual([nameOf(sample), 401]);
        }
      }
    });
  });

  test.each(['administrator', 'reader'])(
    "answers the %s of one tenant for another's data as for a tenant that is not there",
    async (role) => {
      const { key } = await make({ role, tenant: 'ours' });
      await changesNothing(async () => {
        for (const sample of samples) {
          const [hidden, none] = [await ask(sample, 'theirs', key), await ask(sample, 'nobody', key)];
          expect([nameOf(sample), withoutInstance(hidden)]).toEqual([nameOf(sample), withoutInstance(none)]);
          if (SHARED.has(nameOf(sample))) expect(hidden.text).not.toMatch(/theirs|"tenant":"(?!ours)/);
          else expect([nameOf(sample), [403, 404].includes(hidden.status)]).toEqual([nameOf(sample), true]);
        }
      });
    },
  );

  test('that changes something is closed to readers, of all tenants and of one', async () => {
    const readers = [await make({ role: 'reader' }), await make({ role: 'reader', tenant: 'ours' })];
    await changesNothing(async () => {
      for (const { key } of readers) {
        for (const sample of samples.filter((one) => one.method !== 'GET' && !ASKED_BY_POST.has(nameOf(one)))) {
          const refused = await ask(sample, 'ours', key);
          expect([nameOf(sample), refused.status]).toEqual([nameOf(sample), 403]);
          expect(refused.body.type).toBe('/problems/key-not-allowed');
        }
      }
    });
  });

  test('of a tenant opens to the key of that tenant', async () => {
    // To approve is to vouch for a directory, which may be that of another tenant.
    const own = samples.filter(
      (one) => one.route.startsWith('/v1/tenants/{id}') && nameOf(one) !== 'POST /v1/tenants/{id}/approve',
    );
    expect(own.length).toBeGreaterThan(20);
    for (const sample of own) {
      const id = `own-${own.indexOf(sample)}`;
      await api.call('POST', '/v1/tenants', { body: { id } });
      const { key } = await make({ role: 'administrator', tenant: id });
      const { status, body } = await ask(sample, id, key);
      const closed = [401, 403].includes(status) || body?.type === '/problems/tenant-not-found';
      expect([nameOf(sample), closed]).toEqual([nameOf(sample), false]);
    }
  });
});
