import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setupTokenOf } from '../../src/api/consent/setup-link.ts';
import { startApi, type Answer, type ApiUnderTest } from './support/api-under-test.ts';
import { Visitor } from './support/browser.ts';
import { GLOBAL_ADMINISTRATOR, GUEST_INVITER, LOGIN } from './support/fake-graph.ts';
import { recordPhase, tenantRow } from './support/seed.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

interface Tenant {
  readonly id: string;
  readonly setupUrl: string;
}
async function create(body: Record<string, unknown> = {}): Promise<Tenant> {
  return (await api.call('POST', '/v1/tenants', { body })).body;
}
const show = async ({ id }: Tenant) => (await api.call('GET', `/v1/tenants/${id}`)).body;

/** A page of that title, and a tenant that is as it was. */
async function expectPage(answer: Answer, status: number, title: RegExp, tenant?: Tenant): Promise<void> {
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
  expect(answer.text).toMatch(new RegExp(`<h1>[^<]*${title.source}`));
  if (tenant) expect(await show(tenant)).toMatchObject({ entraTenantId: null, candidate: null });
}
const expectDone = (answer: Answer) =>
  expect([answer.status, answer.headers.get('location')]).toEqual([
    303,
    expect.stringMatching(/\/connect\/[^/]+\/status\?follow=true$/),
  ]);

describe('a set-up link', () => {
  test('opens as often as one likes, and uses nothing up', async () => {
    const tenant = await create({ name: '<b>Contoso</b> & "Sons"' });
    const path = new URL(tenant.setupUrl).pathname;
    for (let n = 0; n < 3; n++) {
      const page = await api.call('GET', path, { key: null });
      expect(page.status).toBe(200);
      expect(page.text).toContain('&lt;b>Contoso&lt;/b> &amp; &quot;Sons&quot;');
      expect(page.text).toContain('User.Read.All');
    }
    expect((await new Visitor(api).start(tenant.setupUrl)).answer.status).toBe(302);
  });

  test('stays the same all day, works for 30 days, then says so', async () => {
    const { no, linkSerial } = await tenantRow(api.store, (await create()).id);
    const token = (now: Date) => setupTokenOf({ no, linkSerial }, api.deps.sealer, now);
    const today = new Date();
    const midnight = new Date(today);
    midnight.setUTCHours(0, 0, 0, 0);
    expect(token(today)).toBe(token(midnight));
    const shownDaysAgo = (days: number) => token(new Date(today.getTime() - days * 86_400_000));
    expect((await api.call('GET', `/connect/${shownDaysAgo(30)}`)).status).toBe(200);
    for (const path of ['', '/start', '/status']) {
      await expectPage(await api.call('GET', `/connect/${shownDaysAgo(31)}${path}`), 410, /expired/);
    }
  });

  test('that is forged, cut, of a deleted tenant or of an older serial leads to the same page', async () => {
    const tenant = await create();
    const { no } = await tenantRow(api.store, tenant.id);
    const token = new URL(tenant.setupUrl).pathname.split('/').at(-1) ?? '';
    const [mac, noText, serial, day] = token.split('.');
    const gone = await create();
    await api.call('DELETE', `/v1/tenants/${gone.id}`);
    const tokens = [
      'x',
      token.slice(0, -1),
      `${mac}.${noText}.${serial}.${Number.parseInt(day ?? '', 36) + 1}`,
      `${mac}.${(no + 1).toString(36)}.${serial}.${day}`,
      setupTokenOf({ no, linkSerial: 2 }, api.deps.sealer, new Date()),
      setupTokenOf({ no: 999_999, linkSerial: 1 }, api.deps.sealer, new Date()),
      new URL(gone.setupUrl).pathname.split('/').at(-1) ?? '',
    ];
    const pages = await Promise.all(tokens.map((token) => api.call('GET', `/connect/${token}`, { key: null })));
    expect(new Set(pages.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    await expectPage(pages[0] as Answer, 404, /does not work/);
    for (const token of tokens) expect((await api.call('GET', `/connect/${token}/start`)).status).toBe(404);
  });

  test("pages carry the headers that keep them ours, and let the form reach Microsoft's host", async () => {
    const { headers } = await api.call('GET', new URL((await create()).setupUrl).pathname, { key: null });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`form-action 'self' ${LOGIN}`);
    expect(policy).not.toContain('unsafe');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-robots-tag')).toBe('noindex');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe('a start', () => {
  test("goes to Microsoft's v2 consent with a state of its own, kept only as a hash", async () => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const [first, second] = [await visitor.start(tenant.setupUrl), await visitor.start(tenant.setupUrl)];
    expect(first.location.href).toMatch(new RegExp(`^${LOGIN}/organizations/v2.0/adminconsent`));
    expect(first.location.searchParams.get('redirect_uri')).toBe(`${api.base}/consent/callback`);
    expect(Buffer.from(first.state, 'base64url')).toHaveLength(32);
    expect(first.state).not.toBe(second.state);
    expect(visitor.cookies.size).toBe(1);
  });

  test('sets a cookie for this browser alone, in clear only where there is no https', async () => {
    const [line] = (await new Visitor(api).start((await create()).setupUrl)).answer.headers.getSetCookie();
    expect(line).toMatch(/^entra-sync-browser=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/);
    const secure = await startApi({ config: { publicUrl: 'https://sync.example.com' } });
    try {
      const { body } = await secure.call('POST', '/v1/tenants', { body: {} });
      expect(body.setupUrl).toMatch(/^https:\/\/sync\.example\.com\/connect\//);
      const { answer, location } = await new Visitor(secure).start(body.setupUrl);
      expect(answer.headers.getSetCookie()[0]).toMatch(
        /^__Host-entra-sync-browser=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      expect(location.searchParams.get('redirect_uri')).toBe('https://sync.example.com/consent/callback');
      expect(answer.headers.get('strict-transport-security')).not.toBeNull();
    } finally {
      await secure.close();
    }
  });

  test('goes to the expected directory where one is expected', async () => {
    const expectedEntraTenant = randomUUID();
    const { setupUrl } = await create({ expectedEntraTenant });
    expect((await new Visitor(api).start(setupUrl)).location.pathname).toBe(
      `/${expectedEntraTenant}/v2.0/adminconsent`,
    );
  });
});

describe('an expected directory', () => {
  test('is bound when the consent comes from it, and the workflow is told', async () => {
    const expectedEntraTenant = randomUUID();
    const tenant = await create({ expectedEntraTenant });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const answer = await visitor.callback({ admin_consent: 'True', tenant: expectedEntraTenant.toUpperCase(), state });
    expectDone(answer);
    expect(await show(tenant)).toMatchObject({ entraTenantId: expectedEntraTenant, candidate: null });
    expect(api.delivered.at(-1)).toMatchObject({ kind: 'consent', tenantId: tenant.id });
    const status = await visitor.open(new URL(answer.headers.get('location') ?? '').pathname);
    expect(status.text).toContain('<h1>What happens now');
    expect(status.headers.get('refresh')).toBeNull();
    const following = await visitor.open(`${new URL(answer.headers.get('location') ?? '').pathname}?follow=true`);
    expect(following.headers.get('refresh')).toBe('5');
  });

  test('is the only one: any other ends on a page', async () => {
    const tenant = await create({ expectedEntraTenant: randomUUID() });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const answer = await visitor.callback({ admin_consent: 'True', tenant: randomUUID(), state });
    await expectPage(answer, 403, /another directory/, tenant);
  });

  test('waits for approval where the tenant wants it so', async () => {
    const expectedEntraTenant = randomUUID();
    const tenant = await create({ expectedEntraTenant, requireApproval: true });
    api.graph.organizations.set(expectedEntraTenant, { displayName: 'Contoso Ltd', domains: ['contoso.example'] });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const answer = await visitor.callback({ admin_consent: 'True', tenant: expectedEntraTenant, state });
    expectDone(answer);
    expect(await show(tenant)).toMatchObject({
      entraTenantId: null,
      candidate: { entraTenantId: expectedEntraTenant, displayName: 'Contoso Ltd', domains: ['contoso.example'] },
    });
    const status = await visitor.open(new URL(answer.headers.get('location') ?? '').pathname);
    expect(status.text).toContain('<h1>Waiting for approval');
    expect(await api.call('POST', `/v1/tenants/${tenant.id}/approve`)).toMatchObject({ status: 202 });
    expect((await show(tenant)).entraTenantId).toBe(expectedEntraTenant);
  });
});

describe('a directory that nobody vouches for', () => {
  const sent = async (
    tenant: Tenant,
    directory: string,
    wids: readonly string[] | undefined,
    visitor = new Visitor(api),
  ) => {
    const state = await visitor.consentThenProve(tenant.setupUrl, directory);
    const code = api.graph.signIn({ tid: directory, account: 'admin@contoso.example', ...(wids && { wids }) });
    const answer = await visitor.callback({ code, state, session_state: randomUUID() });
    return answer.headers.get('location')?.includes('/consent/confirm') ? visitor.confirm(answer) : answer;
  };

  test('is bound when an administrator of it signs in', async () => {
    for (const role of [GLOBAL_ADMINISTRATOR, 'e8611ab8-c189-46e8-94e1-60213ab1f814']) {
      const [tenant, directory] = [await create(), randomUUID()];
      expectDone(await sent(tenant, directory, [GUEST_INVITER, role]));
      expect(await show(tenant)).toMatchObject({ entraTenantId: directory, candidate: null });
    }
  });

  test('is refused when somebody else signs in', async () => {
    for (const wids of [[GUEST_INVITER], []]) {
      const tenant = await create();
      await expectPage(await sent(tenant, randomUUID(), wids), 403, /administrator is needed/, tenant);
    }
  });

  test('waits for approval when nothing is told of roles, with what a person can recognise', async () => {
    const [tenant, directory] = [await create(), randomUUID()];
    expectDone(await sent(tenant, directory, undefined));
    expect(await show(tenant)).toMatchObject({
      entraTenantId: null,
      candidate: { entraTenantId: directory, account: 'admin@contoso.example', displayName: null, domains: [] },
    });
    expect(api.delivered.at(-1)).toMatchObject({ kind: 'consent', tenantId: tenant.id });
  });

  test('waits for approval of the proven too where the tenant wants it so', async () => {
    const [tenant, directory] = [await create({ requireApproval: true }), randomUUID()];
    expectDone(await sent(tenant, directory, [GLOBAL_ADMINISTRATOR]));
    expect(await show(tenant)).toMatchObject({ entraTenantId: null, candidate: { entraTenantId: directory } });
  });

  test('is refused where another environment has it, unless it may be shared', async () => {
    const directory = randomUUID();
    expectDone(await sent(await create(), directory, [GLOBAL_ADMINISTRATOR]));
    const second = await create();
    await expectPage(await sent(second, directory, [GLOBAL_ADMINISTRATOR]), 409, /connected already/, second);
    const shared = await create({ sharedDirectory: true });
    expectDone(await sent(shared, directory, [GLOBAL_ADMINISTRATOR]));
    expect((await show(shared)).entraTenantId).toBe(directory);
  });

  test('is refused where the environment has another one', async () => {
    const [tenant, directory] = [await create(), randomUUID()];
    expectDone(await sent(tenant, directory, [GLOBAL_ADMINISTRATOR]));
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    await expectPage(await visitor.callback({ tenant: randomUUID(), state }), 409, /another directory/);
    expect((await show(tenant)).entraTenantId).toBe(directory);
  });

  test('that was revoked needs the same proof again', async () => {
    const [tenant, directory] = [await create({ requireApproval: true }), randomUUID()];
    await sent(tenant, directory, [GLOBAL_ADMINISTRATOR]);
    await api.call('POST', `/v1/tenants/${tenant.id}/approve`);
    await recordPhase(api.store, tenant.id, { phase: 'revoked' });
    expectDone(await sent(tenant, directory, [GLOBAL_ADMINISTRATOR]));
    expect((await show(tenant)).candidate).toMatchObject({ entraTenantId: directory });
  });

  test.each([
    ['declined', 'access_denied', 403, /declined/],
    ['failed', 'invalid_grant', 403, /could not be verified/],
    ['unavailable', 'timeout', 503, /cannot be reached/],
  ] as const)('is left as it is where the proof is %s', async (reason, code, status, title) => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const state = await visitor.consentThenProve(tenant.setupUrl, randomUUID());
    const answer = await visitor.callback({ code: api.graph.answer({ proven: false, reason, code }), state });
    await expectPage(answer, status, title, tenant);
  });
});

describe('an attacker with an environment of his own and a valid state', () => {
  const victim = randomUUID();

  test('who edits the tenant is sent to sign in at the directory that he named, and is refused without its administrator', async () => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const answer = await visitor.callback({ admin_consent: 'True', tenant: victim, state });
    expect(answer.headers.get('location')).toMatch(new RegExp(`^${LOGIN}/${victim}/oauth2/v2.0/authorize`));
    expect((await show(tenant)).entraTenantId).toBeNull();
    const proof = new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? '';
    // He is somebody in the victim's directory, but no administrator.
    const code = api.graph.signIn({ tid: victim, wids: [GUEST_INVITER] });
    await expectPage(await visitor.callback({ code, state: proof }), 403, /administrator is needed/, tenant);
  });

  test('who signs in as administrator of his own directory instead is refused', async () => {
    for (const wids of [[GLOBAL_ADMINISTRATOR], undefined]) {
      const tenant = await create();
      const visitor = new Visitor(api);
      const state = await visitor.consentThenProve(tenant.setupUrl, victim);
      const code = api.graph.signIn({ tid: randomUUID(), ...(wids && { wids }) });
      await expectPage(await visitor.callback({ code, state }), 403, /another directory/, tenant);
    }
  });

  test('gets no further than a candidate where no roles are told, shown to whoever approves', async () => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const state = await visitor.consentThenProve(tenant.setupUrl, victim);
    const code = api.graph.signIn({ tid: victim, account: 'mallory@victim.example' });
    await visitor.confirm(await visitor.callback({ code, state }));
    expect(await show(tenant)).toMatchObject({
      phase: 'awaiting_consent',
      entraTenantId: null,
      candidate: { entraTenantId: victim, account: 'mallory@victim.example' },
    });
  });

  test('cannot answer the proof with a consent, nor the consent with a code', async () => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const proof = await visitor.consentThenProve(tenant.setupUrl, victim);
    await expectPage(
      await visitor.callback({ admin_consent: 'True', tenant: victim, state: proof }),
      400,
      /cannot be read/,
      tenant,
    );
    const { state } = await visitor.start(tenant.setupUrl);
    const code = api.graph.signIn({ tid: victim, wids: [GLOBAL_ADMINISTRATOR] });
    await expectPage(await visitor.callback({ code, state }), 400, /cannot be read/, tenant);
  });

  test('cannot make an administrator finish what he began', async () => {
    const tenant = await create();
    const { state } = await new Visitor(api).start(tenant.setupUrl);
    const administrator = new Visitor(api);
    await expectPage(await administrator.callback({ tenant: victim, state }), 403, /another browser/, tenant);
    await administrator.start((await create()).setupUrl);
    await expectPage(await administrator.callback({ tenant: victim, state }), 403, /another browser/, tenant);
    const proof = await new Visitor(api).consentThenProve(tenant.setupUrl, victim);
    const code = api.graph.signIn({ tid: victim, wids: [GLOBAL_ADMINISTRATOR] });
    await expectPage(await administrator.callback({ code, state: proof }), 403, /another browser/, tenant);
  });

  test('cannot use an answer twice, not even at once', async () => {
    const expectedEntraTenant = randomUUID();
    const tenant = await create({ expectedEntraTenant });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const answer = () => visitor.callback({ tenant: expectedEntraTenant, state });
    const statuses = await Promise.all([answer(), answer(), answer()].map(async (one) => (await one).status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([303, 409, 409]);
    await expectPage(await answer(), 409, /used already/);
  });
});

describe('an answer that cannot be used', () => {
  test.each([
    [{}, 400, /no request of ours/],
    [{ error: 'permission_denied', error_description: 'The admin canceled the request' }, 403, /was declined/],
    [{ error: 'server_error', error_description: 'AADSTS90033' }, 400, /no request of ours/],
    [{ tenant: randomUUID(), admin_consent: 'True' }, 400, /outside the set-up link/],
    [{ state: '', tenant: randomUUID() }, 400, /no request of ours/],
    [{ state: 'forged', tenant: randomUUID() }, 400, /not known here/],
  ])('changes nothing: %j', async (query, status, title) => {
    await expectPage(await new Visitor(api).callback(query), status, title);
  });

  test('of a state that came twice is as good as without', async () => {
    const { setupUrl } = await create();
    const visitor = new Visitor(api);
    const { state } = await visitor.start(setupUrl);
    await expectPage(
      await visitor.open(`/consent/callback?state=${state}&state=${state}&tenant=x`),
      400,
      /no request of ours/,
    );
  });

  test('after an hour is told so', async () => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const cookie = visitor.cookies.get('entra-sync-browser') ?? '';
    const late = 'x'.repeat(43);
    const hash = (text: string) => createHash('sha256').update(text).digest();
    const { no } = await tenantRow(api.store, tenant.id);
    const attempt = {
      tenantNo: no,
      step: 'consent',
      browserHash: hash(cookie),
      entraTenant: null,
      sealed: null,
    } as const;
    await api.store.consents.begin(hash(late), attempt, new Date(Date.now() - 1000));
    await expectPage(await visitor.callback({ tenant: randomUUID(), state: late }), 410, /took too long/, tenant);
    expect(state).not.toBe(late);
  });

  test.each(['', 'common', 'contoso.example', `${randomUUID()}x`, "' OR 1=1", '\u0000'])(
    'of a tenant that is no id is refused: %j',
    async (directory) => {
      const tenant = await create();
      const visitor = new Visitor(api);
      const { state } = await visitor.start(tenant.setupUrl);
      await expectPage(
        await visitor.callback({ admin_consent: 'True', tenant: directory, state }),
        400,
        /cannot be read/,
        tenant,
      );
    },
  );

  test('of a tenant that is being deleted is not known', async () => {
    const tenant = await create();
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    await api.call('DELETE', `/v1/tenants/${tenant.id}`);
    await expectPage(await visitor.callback({ tenant: randomUUID(), state }), 400, /not known here/);
  });
});

describe('an error from Microsoft', () => {
  const DECLINED = 'AADSTS65004: The resource owner or authorization server denied the request.\r\nTrace ID: 1';
  test.each([
    [{ error: 'access_denied', error_subcode: 'cancel' }, /was cancelled/, 'access_denied'],
    [
      { error: 'permission_denied', error_description: 'The admin canceled the request' },
      /declined/,
      'permission_denied',
    ],
    [{ admin_consent: 'True', error: 'consent_required', error_description: DECLINED }, /declined/, 'AADSTS65004'],
    [
      { admin_consent: 'True', error: 'consent_required', error_description: 'AADSTS65001: no' },
      /reports an error/,
      'AADSTS65001',
    ],
    [
      { error: 'server_error', error_description: 'AADSTS90033: <script>alert(1)</script>' },
      /reports an error/,
      'AADSTS90033',
    ],
    [{ error: '<img src=x>' }, /reports an error/, '&lt;img src=x>'],
  ])('decides, whatever else is there: %j', async (query, title, code) => {
    const expectedEntraTenant = randomUUID();
    const tenant = await create({ expectedEntraTenant });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(tenant.setupUrl);
    const answer = await visitor.callback({ ...(query as Record<string, string>), tenant: expectedEntraTenant, state });
    await expectPage(answer, /declined|cancelled/.test(title.source) ? 403 : 400, title, tenant);
    expect(answer.text).toContain(code);
    expect(answer.text).not.toMatch(/<script|<img/);
  });
});

describe('/Account/AdminConsent', () => {
  const open = (query: string) => new Visitor(api).open(`/Account/AdminConsent${query}`);

  test('starts for a tenant with an expected directory', async () => {
    const expectedEntraTenant = randomUUID();
    const tenant = await create({ expectedEntraTenant });
    const visitor = new Visitor(api);
    const answer = await visitor.open(`/Account/AdminConsent?tenantid=${tenant.id}`);
    const location = new URL(answer.headers.get('location') ?? '');
    expect([answer.status, location.pathname]).toEqual([302, `/${expectedEntraTenant}/v2.0/adminconsent`]);
    const state = location.searchParams.get('state') ?? '';
    const arrived = await visitor.callback({ admin_consent: 'True', tenant: expectedEntraTenant, state });
    await expectPage(arrived, 200, /consent has arrived/);
    expect((await show(tenant)).entraTenantId).toBe(expectedEntraTenant);
  });

  test("hands nobody who knows an environment's id alone its set-up link", async () => {
    const expectedEntraTenant = randomUUID();
    const tenant = await create({ expectedEntraTenant });
    const answers: Answer[] = [];
    for (const query of [{ error: 'access_denied' }, { tenant: randomUUID() }, { tenant: expectedEntraTenant }]) {
      const visitor = new Visitor(api);
      const started = await visitor.open(`/Account/AdminConsent?tenantid=${tenant.id}`);
      const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? '';
      answers.push(await visitor.callback({ ...query, state }));
    }
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 200]);
    for (const { text, headers } of answers) {
      expect(text).not.toContain('/connect/');
      expect(headers.get('location')).toBeNull();
    }
    expect(answers[0]?.text).toContain(`/Account/AdminConsent?tenantid=${tenant.id}`);
  });

  test('answers alike for all others, and counts by address', async () => {
    const gone = await create({ expectedEntraTenant: randomUUID() });
    await api.call('DELETE', `/v1/tenants/${gone.id}`);
    const queries = [
      '',
      '?tenantid=',
      '?tenantid=unknown',
      '?tenantid=no%20id',
      '?tenantid=a&tenantid=b',
      '?tenantid=%00',
    ];
    const others = [(await create()).id, gone.id].map((id) => `?tenantid=${id}`);
    const answers = await Promise.all([...queries, ...others].map(open));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(404);
    const statuses: number[] = [];
    for (let n = 0; n < 30; n++) {
      const { status } = await new Visitor(api).open('/Account/AdminConsent?tenantid=unknown');
      statuses.push(status);
    }
    expect(statuses.at(-1)).toBe(429);
    const forwarded = await api.call('GET', '/Account/AdminConsent', { headers: { 'X-Forwarded-For': '192.0.2.7' } });
    expect(forwarded.status).toBe(429);
    expect(forwarded.headers.get('retry-after')).toBe('60');
  });
});
