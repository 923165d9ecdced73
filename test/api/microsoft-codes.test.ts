import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CLIENT_ID, CLIENT_SECRET, type TestTenant } from '../emulator/test-emulator.ts';
import { startEmulatedGraph, type EmulatedGraph } from '../support/emulated-graph.ts';
import { startApi, type Answer, type ApiUnderTest } from './support/api-under-test.ts';
import { runTenants, type RunningTenants } from './support/running-tenants.ts';

// Each code as Microsoft's own endpoints come to say it, from there to what a person reads.

let microsoft: EmulatedGraph;
let api: ApiUnderTest;
let directory: TestTenant;
let made = 0;

beforeAll(async () => {
  microsoft = await startEmulatedGraph();
  api = await startApi({ microsoft: microsoft.graph() });
  const redirectUris = [`${api.base}/consent/callback`];
  await microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, { redirectUris });
});
afterAll(async () => {
  await api.close();
  await microsoft.close();
});
afterEach(() => microsoft.emulator.control('DELETE', `tenants/${directory.id}`));

const app = (action: string, body: object = {}) =>
  microsoft.emulator.control('POST', `tenants/${directory.id}/app/${action}`, body);
const settings = (body: object) => microsoft.emulator.control('PATCH', `tenants/${directory.id}/settings`, body);

describe('where the application asks for a token', () => {
  const OPERATOR = 'product operator';
  const CUSTOMER = 'customer administrator';
  const secretsOf = (...secrets: readonly object[]) =>
    microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, { secrets });
  const nothing = async () => undefined;
  const cases: readonly [
    aadsts: number,
    code: string,
    who: string,
    step: RegExp,
    state: 'revoked' | 'attention',
    plant: () => Promise<unknown>,
  ][] = [
    [
      700_016,
      'consent_missing',
      CUSTOMER,
      /set-up link again/,
      'revoked',
      () => app('revoke').then(() => settings({ missingPrincipalCode: 700_016 })),
    ],
    [7_000_229, 'consent_missing', CUSTOMER, /set-up link again/, 'revoked', () => app('revoke')],
    [
      7_000_112,
      'application_disabled',
      CUSTOMER,
      /"Enabled for users to sign-in\?" to Yes/,
      'revoked',
      () => app('settings', { accountEnabled: false }),
    ],
    [
      53_003,
      'blocked_by_policy',
      CUSTOMER,
      /Conditional Access/,
      'attention',
      () => settings({ blockedByPolicy: ['applications'] }),
    ],
    [
      7_000_215,
      'credentials_rejected',
      OPERATOR,
      /not its Secret ID/,
      'attention',
      () => secretsOf({ value: 'another' }),
    ],
    [
      7_000_222,
      'credentials_rejected',
      OPERATOR,
      /New client secret/,
      'attention',
      () => secretsOf({ value: CLIENT_SECRET, expiresAt: 1 }),
    ],
    [90_002, 'directory_not_found', OPERATOR, /ENTRA_CLOUD/, 'attention', nothing],
  ];
  let product: RunningTenants;

  beforeAll(async () => {
    product = await runTenants(api, microsoft.graph());
  }, 240_000);
  afterAll(() => product.stop());
  afterEach(() => secretsOf({ value: CLIENT_SECRET }));

  test.each(cases)(
    'AADSTS%s is the problem %s, the matter of the %s',
    async (aadsts, code, who, step, state, plant) => {
      // An id follows from the domain, and a directory is bound once.
      directory = await microsoft.emulator.createConsentedTenant({ domain: `refused${aadsts}.example` });
      await plant();
      const id = `refused-${aadsts}-${randomUUID()}`;
      await api.call('POST', '/v1/tenants', { body: { id } });
      await product.follow(id, aadsts === 90_002 ? randomUUID() : directory.id);
      const tenant = await until(id, (shown) => shown.problem !== null && shown.state === state);
      expect(tenant.problem).toMatchObject({
        code,
        who,
        title: expect.stringContaining(`AADSTS${aadsts}`),
        requestId: expect.stringMatching(/^[\w-]{36}$/),
        blocking: true,
      });
      expect(tenant.problem.steps.join(' ')).toMatch(step);
    },
    240_000,
  );

  /** What the API shows, once it shows what is waited for. */
  async function until(id: string, holds: (tenant: Answer['body']) => boolean): Promise<Answer['body']> {
    const end = Date.now() + 120_000;
    for (;;) {
      const { body } = await api.call('GET', `/v1/tenants/${id}`);
      if (holds(body)) return body;
      if (Date.now() > end) throw new Error(`Waited in vain: ${body.state}, ${JSON.stringify(body.problem)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

describe('where an administrator answers', () => {
  /** Opens a set-up link and follows it to Microsoft; returns the address there, and the cookies to come back with. */
  async function begin(): Promise<{ readonly url: string; readonly cookie: string }> {
    const { body } = await api.call('POST', '/v1/tenants', { body: { id: `codes-${++made}` } });
    const start = await api.call('GET', `${new URL(body.setupUrl).pathname}/start`, { key: null });
    const cookie = start.headers.get('set-cookie')?.split(';')[0] ?? '';
    return { url: start.headers.get('location') ?? '', cookie };
  }

  const account = (name: string) =>
    directory.accounts.find(({ userPrincipalName }) => userPrincipalName.startsWith(name))?.id ?? '';

  /** A person's answer on Microsoft's page; where to goes the browser, by a redirect or by the page's own link. */
  async function answer(url: string, fields: Record<string, string>): Promise<string> {
    const response = await microsoft.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
      redirect: 'manual',
    });
    const link = /<a href="([^"]+)">Return/.exec(await response.text())?.[1]?.replaceAll('&amp;', '&');
    return response.headers.get('location') ?? link ?? '';
  }

  const comeBack = (location: string, cookie: string) => {
    const { pathname, search } = new URL(location);
    return api.call('GET', pathname + search, { key: null, headers: { Cookie: cookie } });
  };

  test('AADSTS90094: a service account may not grant, and is told who may', async () => {
    directory = await microsoft.emulator.createTenant();
    const { url, cookie } = await begin();
    const page = await comeBack(await answer(url, { action: 'accept', account: account('member3@') }), cookie);
    expect(page.text).toMatch(/AADSTS90094/);
    expect(page.text).toMatch(/Who can help: an administrator of your directory/);
    expect(page.text).toMatch(/A service account is a user like any other/);
  });

  test('AADSTS65004: consent was declined', async () => {
    directory = await microsoft.emulator.createTenant();
    const { url, cookie } = await begin();
    const page = await comeBack(await answer(url, { action: 'decline', account: account('admin0@') }), cookie);
    expect([page.status, page.text]).toEqual([403, expect.stringMatching(/declined[^]*AADSTS65004/)]);
  });

  /** Consents, and is at Microsoft for the second time: to prove who it was. */
  async function consented(): Promise<{ readonly url: string; readonly cookie: string }> {
    const { url, cookie } = await begin();
    const proof = await comeBack(await answer(url, { action: 'accept', account: account('admin0@') }), cookie);
    return { url: proof.headers.get('location') ?? '', cookie };
  }

  test.each([
    ['AADSTS50105', /nested groups do not count/, () => app('settings', { appRoleAssignmentRequired: true })],
    ['AADSTS53003', /Conditional Access/, () => settings({ blockedByPolicy: ['users'] })],
  ])('%s: the administrator themselves is kept out at the proof', async (code, step, plant) => {
    directory = await microsoft.emulator.createTenant();
    const { url, cookie } = await consented();
    await plant();
    const page = await comeBack(await answer(url, { action: 'accept', account: account('admin0@') }), cookie);
    expect(page.text).toMatch(step);
    expect(page.text).toContain(code);
  });

  test.each([
    ['AADSTS65001', /set-up link again/, () => app('revoke')],
    [
      'AADSTS7000222',
      /New client secret/,
      () =>
        microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, {
          secrets: [{ value: CLIENT_SECRET, expiresAt: 1 }],
        }),
    ],
  ])('%s: the code of the proof is refused, and the page says why', async (code, step, plant) => {
    directory = await microsoft.emulator.createTenant();
    const { url, cookie } = await consented();
    const back = await answer(url, { action: 'accept', account: account('admin0@') });
    await plant();
    const page = await comeBack(back, cookie);
    expect(page.text).toMatch(step);
    expect(page.text).toContain(code);
    const { text } = await api.call('GET', '/metrics', { key: null });
    expect(text).toMatch(new RegExp(`consents_ended_by_microsoft_total\\{code="${code}"\\} 1`));
  });
});
