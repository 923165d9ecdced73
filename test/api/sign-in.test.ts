import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readReturnUrl } from '../../src/api/sign-in/return-url.ts';
import { startApi, type Answer, type ApiUnderTest } from './support/api-under-test.ts';
import { Visitor } from './support/browser.ts';
import { LOGIN } from './support/fake-graph.ts';
import { idOf, recordPhase, round, tenantRow, user } from './support/seed.ts';
import { company, Person, RETURN_TO } from './support/sign-in-page.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest();
const exchange = (body: object) => api.call('POST', '/v1/signin/exchange', { body });
const titleOf = ({ text }: Answer) => /<h1>([^<]*)/.exec(text)?.[1];

describe('signing in', () => {
  test('leads to the directory and back, to a code that says who it is', async () => {
    const contoso = await company(api);
    const person = new Person(api);
    const begun = new URL((await person.begin(contoso.id)).headers.get('location') ?? '');
    expect(begun.href).toMatch(new RegExp(`^${LOGIN}/${contoso.directory}/oauth2/v2.0/authorize`));
    expect(begun.searchParams.get('redirect_uri')).toBe(`${api.base}/signin/callback`);

    const answer = await person.signIn(contoso);
    const back = new URL(answer.headers.get('location') ?? '');
    const code = back.searchParams.get('code') ?? '';
    expect(answer.status).toBe(302);
    expect(back.href).toBe(`${RETURN_TO}&code=${code}&state=of-the-product`);
    expect(code).toMatch(/^[\w-]{43}$/);

    const { status, body } = await exchange({ code, tenant: contoso.id, returnTo: RETURN_TO });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      tenant: contoso.id,
      entraTenantId: contoso.directory,
      tid: contoso.directory,
      oid: idOf(1),
      user: { id: idOf(1), displayName: 'User 1', accountEnabled: true, mail: null },
      groups: [
        { id: idOf(11), displayName: 'Group 11', direct: true },
        { id: idOf(12), displayName: 'Group 12', direct: false },
      ],
      returnTo: RETURN_TO,
      authTime: null,
    });
    expect(Date.now() - Date.parse(body.signedInAt)).toBeLessThan(60_000);
    expect(body.asOf).toBe((await api.call('GET', `/v1/tenants/${contoso.id}`)).body.asOf);
  });

  test('works for a guest, and while the tenant is paused', async () => {
    const contoso = await company(api);
    await recordPhase(api.store, contoso.id, { paused: true });
    const { body } = await exchange({ code: await new Person(api).code(contoso, 3) });
    expect(body).toMatchObject({ oid: idOf(3), user: { userType: 'Guest' }, groups: [] });
  });

  test('finds the same person in each environment as a row of its own', async () => {
    const directory = randomUUID();
    const [one, two] = [await company(api, { directory }), await company(api, { directory })];
    await round(api.store, two.id, [user(1, { displayName: 'As two has it' })], []);
    const first = await exchange({ code: await new Person(api).code(one) });
    const second = await exchange({ code: await new Person(api).code(two) });
    expect([first.body.tenant, first.body.user.displayName]).toEqual([one.id, 'User 1']);
    expect([second.body.tenant, second.body.user.displayName]).toEqual([two.id, 'As two has it']);
  });

  test('asks for another account where the product wants it so, and returns without a state where there was none', async () => {
    const contoso = await company(api);
    const person = new Person(api);
    const path = `/signin/${contoso.id}?${String(new URLSearchParams({ return_to: RETURN_TO, prompt: 'select_account' }))}`;
    const begun = new URL((await person.open(path)).headers.get('location') ?? '');
    expect(begun.searchParams.get('prompt')).toBe('select_account');
    const code = api.graph.signIn({ tid: contoso.directory, oid: idOf(1) });
    const back = await person.back({ code, state: begun.searchParams.get('state') ?? '' });
    expect(new URL(back.headers.get('location') ?? '').searchParams.has('state')).toBe(false);
    expect((await person.begin(contoso.id, { state: 'x'.repeat(1025) })).status).toBe(400);
  });

  test('logs neither names nor codes nor states', async () => {
    const contoso = await company(api);
    const person = new Person(api);
    const code = await person.code(contoso);
    await exchange({ code });
    const all = api.logged.join('');
    expect(all).toContain('/signin/{id}');
    for (const secret of [code, 'of-the-product', idOf(1), 'User 1', person.cookies.get('entra-sync-browser') ?? '?']) {
      expect(all).not.toContain(secret);
    }
  });
});

describe('a code', () => {
  test('is good once, not even twice at once', async () => {
    const code = await new Person(api).code(await company(api));
    const answers = await Promise.all([exchange({ code }), exchange({ code }), exchange({ code })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400]);
    expect((await exchange({ code })).body.type).toBe('/problems/invalid-sign-in-code');
  });

  test('of another tenant or another address is refused, and used up', async () => {
    const [contoso, other] = [await company(api), await company(api)];
    for (const wrong of [{ tenant: other.id }, { returnTo: 'https://app.example.com/other' }]) {
      const code = await new Person(api).code(contoso);
      expect((await exchange({ code, ...wrong })).status).toBe(400);
      expect((await exchange({ code })).status).toBe(400);
    }
  });

  test('is good for a minute, kept as a hash, and needs the key', async () => {
    const { id, directory } = await company(api);
    const { no } = await tenantRow(api.store, id);
    const who = { tenantNo: no, entraTenantId: directory, userId: idOf(1), returnTo: RETURN_TO, authTime: null };
    await api.store.signIns.issue(sha256('late'), who, -1);
    await api.store.signIns.issue(sha256('fresh'), who, 60_000);
    expect((await exchange({ code: 'late' })).status).toBe(400);
    await api.store.signIns.sweep();
    expect((await api.call('POST', '/v1/signin/exchange', { body: { code: 'fresh' }, key: null })).status).toBe(401);
    expect((await exchange({ code: 'fresh' })).status).toBe(200);
    expect((await exchange({ code: 'invented' })).status).toBe(400);
    expect((await exchange({})).status).toBe(400);
  });

  test.each([
    ['disabled', [user(1, { accountEnabled: false })], 'The account was disabled.'],
    ['deleted', [{ kind: 'removed', id: idOf(1), reason: 'changed' } as const], 'The person was deleted.'],
  ])('of somebody who was %s meanwhile is refused', async (_, items, detail) => {
    const contoso = await company(api);
    const code = await new Person(api).code(contoso);
    await round(api.store, contoso.id, items, []);
    expect((await exchange({ code })).body).toMatchObject({ type: '/problems/sign-in-refused', detail });
  });

  test('of a tenant that was revoked or is being deleted meanwhile is refused', async () => {
    const [revoked, deleted] = [await company(api), await company(api)];
    const codes = [await new Person(api).code(revoked), await new Person(api).code(deleted)];
    await recordPhase(api.store, revoked.id, { phase: 'revoked' });
    await api.call('DELETE', `/v1/tenants/${deleted.id}`);
    expect((await exchange({ code: codes[0] })).status).toBe(403);
    expect((await exchange({ code: codes[1] })).status).toBe(400);
  });
});

describe('whoever may not come in', () => {
  test.each([
    ['is disabled', 2, /Your account is disabled/],
    ['is not in the mirror', 99, /not known here yet/],
  ])('is told so: %s', async (_, n, title) => {
    const contoso = await company(api);
    const answer = await new Person(api).signIn(contoso, n);
    expect([answer.status, titleOf(answer)]).toEqual([403, expect.stringMatching(title)]);
    expect(answer.text).toContain('Contoso &amp; Söhne');
    // The way back tells the product that nobody came.
    expect(answer.text).toContain(`href="${RETURN_TO}&amp;error=access_denied&amp;state=of-the-product"`);
    expect(answer.text).toContain(`href="/signin/${contoso.id}?return_to=`);
  });

  test('is looked for at once where the mirror does not know them', async () => {
    const contoso = await company(api);
    const before = api.hinted.length;
    await new Person(api).signIn(contoso, 98);
    await new Person(api).signIn(contoso, 98);
    expect(api.hinted.slice(before).map(({ tenantId }) => tenantId)).toEqual([contoso.id]);
  });

  test('is told of a deletion, of the first reading, and of a withdrawal on the way', async () => {
    const contoso = await company(api);
    await round(api.store, contoso.id, [{ kind: 'removed', id: idOf(1), reason: 'changed' }], []);
    expect(titleOf(await new Person(api).signIn(contoso))).toBe('Your account was deleted');
    const young = await company(api, { synced: false });
    expect(titleOf(await new Person(api).signIn(young))).toMatch(/for the first time/);
    const person = new Person(api);
    const state = await person.sent(young.id);
    await recordPhase(api.store, young.id, { phase: 'revoked' });
    const code = api.graph.signIn({ tid: young.directory, oid: idOf(1) });
    expect(titleOf(await person.back({ code, state }))).toBe('The connection was withdrawn');
  });

  test('has to be assigned where the tenant wants it so', async () => {
    const contoso = await company(api, { signIn: { requireAssignment: true } });
    expect(titleOf(await new Person(api).signIn(contoso))).toMatch(/not assigned/);
    api.graph.assignments.set(idOf(1), 'unknown');
    const unknown = await new Person(api).signIn(contoso);
    expect([unknown.status, titleOf(unknown)]).toEqual([503, expect.stringMatching(/could not be checked/)]);
    api.graph.assignments.set(idOf(1), 'assigned');
    expect((await new Person(api).signIn(contoso)).status).toBe(302);
    api.graph.assignments.delete(idOf(1));
  });

  test.each([
    [{ error: 'access_denied', error_subcode: 'cancel' }, /You did not sign in/],
    [{ error: 'consent_required', error_description: 'AADSTS65004: declined' }, /You did not sign in/],
    [{ error: 'interaction_required', error_description: 'AADSTS50105: no' }, /not assigned/],
    [{ error: 'access_denied', error_description: 'AADSTS53003: no' }, /policy/],
    [{ error: 'access_denied', error_description: 'AADSTS90094: no' }, /has to consent first/],
    [{ error: 'invalid_grant', error_description: 'AADSTS65001: no' }, /has to consent first/],
    [{ error: 'invalid_grant', error_description: 'AADSTS50057: no' }, /Your account is disabled/],
    [{ error: 'unauthorized_client', error_description: 'AADSTS700016: no' }, /has removed this application/],
    [{ error: 'unauthorized_client', error_description: 'AADSTS7000112: no' }, /switched this application off/],
    [{ error: 'interaction_required', error_description: 'AADSTS16000: no' }, /Another account is needed/],
    [{ error: 'server_error', error_description: 'AADSTS999999: <script>' }, /Microsoft did not sign you in/],
    [{ error: '<img src=x>' }, /Microsoft did not sign you in/],
  ])('is told what Microsoft says: %j', async (query, title) => {
    const contoso = await company(api);
    const person = new Person(api);
    const state = await person.sent(contoso.id);
    const answer = await person.back({ ...(query as Record<string, string>), state });
    expect([answer.status, titleOf(answer)]).toEqual([403, expect.stringMatching(title)]);
    expect(answer.text).not.toMatch(/<script|<img/);
    expect(answer.text).toMatch(
      /Who can help: <strong>(an administrator of your directory|whoever runs the product|you|Microsoft)</,
    );
  });

  test.each([
    [{ proven: false, reason: 'failed', code: 'wrong_directory' }, 403, /could not be verified/],
    [{ proven: false, reason: 'failed', code: 'AADSTS50105' }, 403, /not assigned/],
    [{ proven: false, reason: 'unavailable', code: 'timeout' }, 503, /cannot be reached/],
  ] as const)('is told what came of the proof: %j', async (outcome, status, title) => {
    const person = new Person(api);
    const state = await person.sent((await company(api)).id);
    const answer = await person.back({ code: api.graph.answer(outcome), state });
    expect([answer.status, titleOf(answer)]).toEqual([status, expect.stringMatching(title)]);
  });
});

describe('an answer', () => {
  test.each([
    [{ code: 'x' }, 400, /no request of ours/],
    [{ error: 'access_denied' }, 400, /no request of ours/],
    [{ code: 'x', state: 'forged' }, 400, /not known here/],
  ])('that belongs to nothing is refused: %j', async (query, status, title) => {
    const answer = await new Person(api).back(query);
    expect([answer.status, titleOf(answer)]).toEqual([status, expect.stringMatching(title)]);
  });

  test('counts once, in the browser that began, within an hour', async () => {
    const contoso = await company(api);
    const person = new Person(api);
    const state = await person.sent(contoso.id);
    const code = api.graph.signIn({ tid: contoso.directory, oid: idOf(1) });
    const foreign = new Person(api);
    await foreign.sent(contoso.id);
    expect(titleOf(await foreign.back({ code, state }))).toBe('This began in another browser');
    expect(titleOf(await new Person(api).back({ code, state }))).toBe('This began in another browser');
    expect((await person.back({ code, state })).status).toBe(302);
    expect(titleOf(await person.back({ code, state }))).toBe('This sign-in was used already');

    const { no } = await tenantRow(api.store, contoso.id);
    const browserHash = sha256(person.cookies.get('entra-sync-browser') ?? '');
    const late = { tenantNo: no, step: 'signin', browserHash, entraTenant: contoso.directory, sealed: null } as const;
    await api.store.consents.begin(sha256('late'), late, new Date(Date.now() - 1));
    expect(titleOf(await person.back({ code, state: 'late' }))).toBe('This took too long');
  });

  test('to a consent is none to a sign-in, nor the other way round', async () => {
    const contoso = await company(api);
    const person = new Person(api);
    const { setupUrl } = (await api.call('GET', `/v1/tenants/${contoso.id}`)).body;
    const { state: consent } = await person.start(setupUrl);
    expect((await person.back({ code: 'x', state: consent })).status).toBe(400);
    const state = await person.sent(contoso.id);
    expect((await person.callback({ admin_consent: 'True', tenant: contoso.directory, state })).status).toBe(400);
    const again = await person.sent(contoso.id);
    const code = api.graph.signIn({ tid: contoso.directory, wids: [] });
    expect((await person.callback({ code, state: again })).status).toBe(400);
  });

  test('to a sign-in whose address was taken from the list meanwhile leads nowhere', async () => {
    const contoso = await company(api);
    const person = new Person(api);
    const state = await person.sent(contoso.id);
    const signIn = { returnUrls: ['https://app.example.com/other'] };
    expect((await api.call('PATCH', `/v1/tenants/${contoso.id}`, { body: { signIn } })).body.signIn).toEqual({
      ...signIn,
      requireAssignment: false,
    });
    const code = api.graph.signIn({ tid: contoso.directory, oid: idOf(1) });
    expect((await person.back({ code, state })).status).toBe(400);
  });
});

const TRICKY = [
  '//evil.example/signed-in',
  'https:evil.example',
  'https:app.example.com/signed-in?from=work',
  'https:/app.example.com/signed-in?from=work',
  'https://app.example.com@evil.example/signed-in?from=work',
  'https://user:pass@app.example.com/signed-in?from=work',
  'https://app.example.com\\@evil.example/signed-in?from=work',
  'https:\\\\app.example.com\\signed-in?from=work',
  'https://app.example.com.evil.example/signed-in?from=work',
  'https://evilapp.example.com/signed-in?from=work',
  'https://app.example.com:8443/signed-in?from=work',
  'https://app.example.com:443/signed-in?from=work',
  'http://app.example.com/signed-in?from=work',
  'https://APP.example.com/signed-in?from=work',
  'https://app.example.com/signed-in?from=work#@evil.example',
  'https://app.example.com/signed-in?from=work#',
  'https://app.example.com/signed-in/../evil?from=work',
  'https://app.example.com/signed-in/?from=work',
  'https://app.example.com/signed-in?from=work&next=https://evil.example',
  'https://app.example.com/signed-in',
  'https://app。example.com/signed-in?from=work',
  'https://аpp.example.com/signed-in?from=work',
  ' https://app.example.com/signed-in?from=work',
  'https://app.example.com/signed-in?from=work\t',
  'https://app.exa\nmple.com/signed-in?from=work',
  'javascript:alert(1)',
  'data:text/html,x',
  '/signed-in',
  '\u0000',
  '',
];

describe('an address to come back to', () => {
  test('is nothing but one of the list, to the letter', async () => {
    // An API of its own: what leads nowhere counts by address.
    const own = await startApi();
    try {
      const { id } = await company(own);
      for (const tricky of TRICKY.slice(0, 25)) {
        const answer = await new Person(own).begin(id, { return_to: tricky });
        expect([tricky, answer.status, answer.headers.get('location')]).toEqual([tricky, 404, null]);
      }
    } finally {
      await own.close();
    }
    const allowed = readReturnUrl(RETURN_TO);
    for (const tricky of TRICKY) expect(readReturnUrl(tricky)).not.toBe(allowed);
  });

  test.each([
    'http://app.example.com/',
    'https://user@app.example.com/',
    'https://app.example.com/#x',
    'https://app.example.com/?code=1',
    'https://app.example.com/a/../b',
    'javascript:alert(1)',
    'app.example.com',
    '*',
    'https://*.example.com/x y',
  ])('is refused as a setting: %s', async (url) => {
    const answer = await api.call('POST', '/v1/tenants', {
      body: { signIn: { returnUrls: ['https://ok.example', url] } },
    });
    expect(answer.body.errors).toEqual([expect.objectContaining({ pointer: '/signIn/returnUrls/1' })]);
  });

  test('may be an origin alone, and http on loopback', async () => {
    const returnUrls = [
      'https://app.example.com',
      'http://localhost:3000/cb',
      'http://127.0.0.1/cb',
      'http://[::1]/cb',
    ];
    const { body } = await api.call('POST', '/v1/tenants', { body: { signIn: { returnUrls } } });
    expect(body.signIn.returnUrls).toEqual(['https://app.example.com/', ...returnUrls.slice(1)]);
    await api.store.consents.bind((await tenantRow(api.store, body.id)).no, randomUUID());
    expect((await new Person(api).begin(body.id, { return_to: 'https://app.example.com' })).status).toBe(302);
  });
});

describe('ids that lead nowhere', () => {
  test('are answered alike, and counted by address; what leads on is not', async () => {
    const own = await startApi();
    try {
      const [connected, revoked, deleted] = [await company(own), await company(own), await company(own)];
      await recordPhase(own.store, revoked.id, { phase: 'revoked' });
      await own.call('DELETE', `/v1/tenants/${deleted.id}`);
      const unconnected = (await own.call('POST', '/v1/tenants', { body: { signIn: { returnUrls: [RETURN_TO] } } }))
        .body;
      const person = new Person(own);
      const answers: Answer[] = [];
      for (const id of ['unknown', 'no%20id', '%00', unconnected.id, revoked.id, deleted.id]) {
        answers.push(await person.begin(id), await person.open(`/signin/${id}/sign-out?return_to=${RETURN_TO}`));
      }
      answers.push(await person.begin(connected.id, { return_to: 'https://evil.example/' }));
      answers.push(await person.open(`/signin/${connected.id}`));
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(404);
      for (let n = 0; n < 40; n++) expect((await person.begin(connected.id)).status).toBe(302);
      for (let n = answers.length; n < 30; n++) await person.begin('unknown');
      expect((await person.begin('unknown')).status).toBe(429);
    } finally {
      await own.close();
    }
  });
});

describe('signing out', () => {
  test('ends the session at Microsoft and comes back to an address of the list', async () => {
    const contoso = await company(api);
    const visitor = new Visitor(api);
    const path = `/signin/${contoso.id}/sign-out?${String(new URLSearchParams({ return_to: RETURN_TO }))}`;
    const out = new URL((await visitor.open(path)).headers.get('location') ?? '');
    expect(out.origin + out.pathname).toBe(`${LOGIN}/${contoso.directory}/oauth2/v2.0/logout`);
    expect(out.searchParams.get('post_logout_redirect_uri')).toBe(`${api.base}/signin/callback`);
    const back = await visitor.open('/signin/callback');
    expect([back.status, back.headers.get('location')]).toEqual([302, RETURN_TO]);
    expect(back.headers.getSetCookie()[0]).toMatch(/^entra-sync-signed-out=; Max-Age=0/);
  });

  test('goes nowhere by a cookie that was made up', async () => {
    const { id } = await company(api);
    for (const value of [[id, 'https://evil.example/'], ['\u0000', RETURN_TO], [1], 'x', null]) {
      const visitor = new Visitor(api);
      visitor.cookies.set('entra-sync-signed-out', Buffer.from(JSON.stringify(value)).toString('base64url'));
      const back = await visitor.open('/signin/callback');
      expect([back.status, titleOf(back)]).toEqual([200, 'You are signed out']);
    }
  });
});
