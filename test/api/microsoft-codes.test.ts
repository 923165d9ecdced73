import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TOKEN_FAILURES } from '../../src/domain/activities.ts';
import { describeProblem } from '../../src/domain/problem.ts';
import type { GraphConfig } from '../../src/graph/graph.ts';
import { CLIENT_ID, CLIENT_SECRET, type TestTenant } from '../emulator/test-emulator.ts';
import { startEmulatedGraph, type EmulatedGraph } from '../support/emulated-graph.ts';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';

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
  const cases: readonly [
    code: number,
    who: string,
    step: RegExp,
    plant: () => Promise<unknown>,
    config: Partial<GraphConfig>,
  ][] = [
    [
      700_016,
      CUSTOMER,
      /set-up link again/,
      () => app('revoke').then(() => settings({ missingPrincipalCode: 700_016 })),
      {},
    ],
    [7_000_229, CUSTOMER, /set-up link again/, () => app('revoke'), {}],
    [
      7_000_112,
      CUSTOMER,
      /"Enabled for users to sign-in\?" to Yes/,
      () => app('settings', { accountEnabled: false }),
      {},
    ],
    [53_003, CUSTOMER, /Conditional Access/, () => settings({ blockedByPolicy: ['applications'] }), {}],
    [
      7_000_215,
      OPERATOR,
      /not its Secret ID/,
      async () => undefined,
      { credential: { kind: 'secret', secret: 'wrong' } },
    ],
    [
      7_000_222,
      OPERATOR,
      /New client secret/,
      () => secretsOf([{ value: 'old', expiresAt: 1 }]),
      {
        credential: { kind: 'secret', secret: 'old' },
      },
    ],
    [90_002, OPERATOR, /ENTRA_CLOUD/, async () => undefined, {}],
  ];
  const secretsOf = (secrets: readonly object[]) =>
    microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, {
      secrets: [{ value: CLIENT_SECRET }, ...secrets],
    });

  test.each(cases)('AADSTS%s is the matter of the %s', async (code, who, step, plant, config) => {
    directory = await microsoft.emulator.createConsentedTenant();
    await plant();
    const asked = code === 90_002 ? 'a0000000-0000-4000-8000-000000000000' : directory.id;
    const refusal = await microsoft.graph(config).tokenFor(asked);
    if (refusal.kind !== 'refused') throw new Error('a token was given');
    const { kind: _, failure, ...quoted } = refusal;
    expect(quoted).toMatchObject({ aadsts: code, requestId: expect.stringMatching(/^[\w-]{36}$/) });
    const problem = describeProblem({ code: TOKEN_FAILURES[failure], since: '', ...quoted });
    expect(problem).toMatchObject({ who, title: expect.stringContaining(`AADSTS${code}`), blocking: true });
    expect(problem.steps.join(' ')).toMatch(step);
  });
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
