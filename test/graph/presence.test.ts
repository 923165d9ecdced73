import { expect, test } from '@jest/globals';
import type { Suspect } from '../../src/domain/guard.ts';
import { createGraphClient } from '../../src/graph/client.ts';
import { readPresence } from '../../src/graph/presence.ts';
import { json, scriptedFetch } from './scripted-fetch.ts';

const ORIGIN = 'https://graph.example';
const member: Suspect = { kind: 'membership', groupId: 'g1', memberId: 'u1' };

async function ask(suspect: Suspect, answer: Response) {
  const { fetch, seen } = scriptedFetch(() => answer);
  const client = createGraphClient({ origin: ORIGIN, fetch });
  const outcome = await readPresence(client, { suspect, accessToken: 'T' });
  return { outcome, asked: seen.map(({ url }) => url.replace(`${ORIGIN}/v1.0`, '')) };
}

test.each([
  [{ kind: 'user', id: 'u1' }, json({ id: 'u1' }), 'present', '/users/u1?$select=id'],
  [{ kind: 'user', id: 'u1' }, json({ error: { code: 'Request_ResourceNotFound' } }, 404), 'absent', undefined],
  [{ kind: 'group', id: 'g1' }, json({ id: 'g1' }), 'present', '/groups/g1?$select=id'],
  [{ kind: 'disable', id: 'u1' }, json({ accountEnabled: true }), 'present', '/users/u1?$select=id,accountEnabled'],
  [{ kind: 'disable', id: 'u1' }, json({ accountEnabled: false }), 'absent', undefined],
  [member, json({ value: [{ id: 'U1' }] }), 'present', '/groups/g1/members?$select=id&$top=999'],
  [member, json({ value: [{ id: 'u2' }] }), 'absent', undefined],
  [member, json({ value: [{ id: 'u2' }], '@odata.nextLink': `${ORIGIN}/next` }), 'unknown', undefined],
  [member, json({ error: { code: 'Authorization_RequestDenied' } }, 403), 'unknown', undefined],
  [{ kind: 'user', id: 'u1' }, json({}, 401), 'token_rejected', undefined],
  [{ kind: 'user', id: 'u1' }, json({}, 503), 'unavailable', undefined],
] as const)('one read of %j tells, of %p, %s', async (suspect, answer, kind, path) => {
  const { outcome, asked } = await ask(suspect, answer);
  expect(outcome.kind).toBe(kind);
  expect(asked).toHaveLength(1);
  if (path !== undefined) expect(asked[0]).toBe(path);
});
