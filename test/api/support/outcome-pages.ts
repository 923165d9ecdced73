import { createHash, randomUUID } from 'node:crypto';
import type { ProofOutcome } from '../../../src/graph/sign-in.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { Visitor } from './browser.ts';
import { tenantRow } from './seed.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Every way in which a consent comes to nothing, brought about; what is answered each time. */
export async function outcomePages(api: ApiUnderTest): Promise<ReadonlyMap<string, string>> {
  const create = async (body: Record<string, unknown> = {}): Promise<{ id: string; setupUrl: string }> =>
    (await api.call('POST', '/v1/tenants', { body })).body;
  const numberOf = async (id: string) => (await tenantRow(api.store, id)).no;

  /** Started in one browser, answered in the same with these words. */
  async function answered(query: Record<string, string>, body: Record<string, unknown> = {}): Promise<string> {
    const visitor = new Visitor(api);
    const { state } = await visitor.start((await create(body)).setupUrl);
    return (await visitor.callback({ ...query, state })).text;
  }
  async function proven(
    outcome: Exclude<ProofOutcome, { proven: true }> | { readonly account: string },
  ): Promise<string> {
    const visitor = new Visitor(api);
    const tid = randomUUID();
    const state = await visitor.consentThenProve((await create()).setupUrl, tid);
    const code = 'account' in outcome ? api.graph.signIn({ tid, wids: [], ...outcome }) : api.graph.answer(outcome);
    return (await visitor.callback({ code, state })).text;
  }
  async function used(): Promise<string> {
    const visitor = new Visitor(api);
    const { state } = await visitor.start((await create()).setupUrl);
    await visitor.callback({ state });
    return (await visitor.callback({ state })).text;
  }
  async function expired(): Promise<string> {
    const tenantNo = await numberOf((await create()).id);
    const attempt = { tenantNo, step: 'consent', browserHash: sha256(''), entraTenant: null, sealed: null } as const;
    await api.store.consents.begin(sha256('late'), attempt, new Date(Date.now() - 1000));
    return (await new Visitor(api).callback({ state: 'late' })).text;
  }
  async function otherBrowser(): Promise<string> {
    const { state } = await new Visitor(api).start((await create()).setupUrl);
    return (await new Visitor(api).callback({ state })).text;
  }
  async function taken(): Promise<string> {
    const directory = randomUUID();
    await api.store.consents.bind(await numberOf((await create()).id), directory);
    return answered({ tenant: directory }, { expectedEntraTenant: directory });
  }
  async function notMine(): Promise<string> {
    const visitor = new Visitor(api);
    const tid = randomUUID();
    const state = await visitor.consentThenProve((await create()).setupUrl, tid);
    const answer = await visitor.callback({ code: api.graph.signIn({ tid }), state });
    return (await visitor.submit(await visitor.asked(answer), '/consent/reject')).text;
  }
  async function linkRevoked(): Promise<string> {
    const tenant = await create();
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    await api.call('DELETE', `/v1/tenants/${tenant.id}/setup-link`);
    return (await visitor.callback({ tenant: randomUUID(), state })).text;
  }
  async function boundToAnother(): Promise<string> {
    const tenant = await create();
    await api.store.consents.bind(await numberOf(tenant.id), randomUUID());
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    return (await visitor.callback({ tenant: randomUUID(), state })).text;
  }

  const description = `AADSTS90033: ${'unbroken'.repeat(30)}`;
  return new Map([
    ['no state', (await new Visitor(api).callback({})).text],
    ['unknown state', (await new Visitor(api).callback({ state: 'unknown' })).text],
    ['used state', await used()],
    ['expired state', await expired()],
    ['other browser', await otherBrowser()],
    ['outside', (await new Visitor(api).callback({ admin_consent: 'True', tenant: randomUUID() })).text],
    ['cancelled', await answered({ error: 'access_denied', error_subcode: 'cancel' })],
    ['declined', await answered({ error: 'permission_denied' })],
    ['needs an administrator', await answered({ error: 'access_denied', error_description: 'AADSTS90094: no' })],
    ['error of Microsoft', await answered({ error: 'server_error', error_description: description })],
    ['malformed', await answered({ tenant: 'common' })],
    ['wrong directory', await answered({ tenant: randomUUID() }, { expectedEntraTenant: randomUUID() })],
    ['not an administrator', await proven({ account: `${'long'.repeat(20)}@contoso.example` })],
    ['proof failed', await proven({ proven: false, reason: 'failed', code: 'invalid_grant' })],
    ['Microsoft away', await proven({ proven: false, reason: 'unavailable', code: 'timeout' })],
    ['directory taken', await taken()],
    ['bound to another', await boundToAnother()],
    ['not mine', await notMine()],
    ['link revoked', await linkRevoked()],
  ]);
}
