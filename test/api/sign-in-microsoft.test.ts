import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { acceptAtMicrosoft, Browser, type Answer } from '../../demo/browser.ts';
import type { DeltaItem } from '../../src/domain/directory.ts';
import { CLIENT_ID, type TestTenant } from '../emulator/test-emulator.ts';
import { startEmulatedGraph, type EmulatedGraph } from '../support/emulated-graph.ts';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { round, tenantRow } from './support/seed.ts';

// From the product's link over Microsoft's own pages, by HTTPS, to the code and back.

let microsoft: EmulatedGraph;
let api: ApiUnderTest;
let directory: TestTenant;
let returnTo: string;

beforeAll(async () => {
  microsoft = await startEmulatedGraph();
  api = await startApi({ microsoft: microsoft.graph() });
  returnTo = `${api.base}/healthz`;
  const redirectUris = [`${api.base}/consent/callback`, `${api.base}/signin/callback`];
  await microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, { redirectUris });
  directory = await microsoft.emulator.createConsentedTenant();
  await create('acme', { requireAssignment: false });
  await create('strict', { requireAssignment: true });
});
afterAll(async () => {
  await api.close();
  await microsoft.close();
});

/** An environment with the cast of the directory in its mirror; the member is in one group. */
async function create(id: string, signIn: object): Promise<void> {
  const body = { id, sharedDirectory: true, signIn: { returnUrls: [returnTo], ...signIn } };
  await api.call('POST', '/v1/tenants', { body });
  await api.store.consents.bind((await tenantRow(api.store, id)).no, directory.id);
  const people = directory.accounts.map((account): DeltaItem => {
    const attributes = { userPrincipalName: account.userPrincipalName, accountEnabled: account.part !== 'disabled' };
    return { kind: 'object', id: account.id, attributes, members: [] };
  });
  const members = [{ memberId: accountOf('member').id, memberType: 'user', removed: false } as const];
  const attributes = { displayName: 'Sales' };
  await round(api.store, id, people, [{ kind: 'object', id: GROUP, attributes, members }]);
}

const GROUP = 'aaaaaaaa-0000-4000-8000-000000000001';

function accountOf(part: string) {
  const account = directory.accounts.find((one) => one.part === part);
  if (!account) throw new Error(`There is no ${part}`);
  return account;
}

const app = (action: string, body: object) =>
  microsoft.emulator.control('POST', `tenants/${directory.id}/app/${action}`, body);

const browser = () => new Browser(readFileSync(microsoft.emulator.caFile, 'utf8'));
const link = (id: string, way = '') =>
  `${api.base}/signin/${id}${way}?${String(new URLSearchParams({ return_to: returnTo, state: 's' }))}`;

async function signIn(account: string, id = 'acme', visitor = browser()): Promise<Answer> {
  return acceptAtMicrosoft(visitor, await visitor.get(link(id)), account);
}

async function whoCameIn(answer: Answer) {
  const { origin, pathname, searchParams } = new URL(answer.url);
  expect([origin + pathname, searchParams.get('state')]).toEqual([returnTo, 's']);
  const body = { code: searchParams.get('code') };
  return (await api.call('POST', '/v1/signin/exchange', { body })).body;
}

const titleOf = ({ text }: Answer) => /<h1>([^<]*)/.exec(text)?.[1];

describe('a work account', () => {
  test.each(['member', 'admin', 'guest'])('of the directory comes in: %s', async (part) => {
    const { id, userPrincipalName } = accountOf(part);
    expect(await whoCameIn(await signIn(id))).toMatchObject({
      tenant: 'acme',
      tid: directory.id,
      oid: id,
      user: { id, userPrincipalName },
      groups: part === 'member' ? [{ id: GROUP, direct: true }] : [],
    });
  });

  test('of another directory is not found on the page of this one', async () => {
    const other = await microsoft.emulator.createConsentedTenant({ domain: 'fabrikam.com' });
    const answer = await signIn(other.accounts[0]?.id ?? '');
    expect(answer.text).toContain('AADSTS50034');
  });

  test('that is disabled stays with Microsoft', async () => {
    expect((await signIn(accountOf('disabled').id)).text).toContain('AADSTS50057');
  });

  test('that is too new for the mirror is told so', async () => {
    const body = { displayName: 'Grace Hopper', userPrincipalName: 'grace@contoso.com' };
    await microsoft.emulator.control('POST', `tenants/${directory.id}/users`, body);
    expect(titleOf(await signIn('grace@contoso.com'))).toMatch(/not known here yet/);
    expect(api.hinted).toEqual([expect.objectContaining({ tenantId: 'acme' })]);
  });

  test('may change their mind', async () => {
    const visitor = browser();
    const page = await visitor.get(link('acme'));
    expect(titleOf(await visitor.post(page.url, { action: 'cancel' }))).toBe('You did not sign in');
  });
});

describe("a customer's own rules", () => {
  test('keep out who is not assigned, by the directory itself or by the setting of the tenant', async () => {
    const member = accountOf('member').id;
    expect(titleOf(await signIn(member, 'strict'))).toBe('You are not assigned to this application');
    await app('settings', { appRoleAssignmentRequired: true });
    const refused = await signIn(member);
    expect(titleOf(refused)).toBe('You are not assigned to this application');
    expect(refused.text).toContain('AADSTS50105');
    await app('assign', { principalId: member });
    expect(await whoCameIn(await signIn(member, 'strict'))).toMatchObject({ oid: member });
    await app('settings', { appRoleAssignmentRequired: false });
  });

  test('of Conditional Access are told', async () => {
    const settings = (blockedByPolicy: string[]) =>
      microsoft.emulator.control('PATCH', `tenants/${directory.id}/settings`, { blockedByPolicy });
    await settings(['users']);
    const answer = await signIn(accountOf('member').id);
    expect(titleOf(answer)).toBe('A policy of your organization blocks this sign-in');
    expect(answer.text).toContain('Conditional Access');
    await settings([]);
  });

  test('end with the sign-out, which comes back to the product', async () => {
    const answer = await browser().get(link('acme', '/sign-out'));
    expect(answer.url).toBe(returnTo);
  });

  test('may take the application away', async () => {
    await app('revoke', {});
    const page = await signIn(accountOf('member').id);
    expect(page.text).toContain('AADSTS90094');
    const back = /<a href="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(back).toContain('/signin/callback?error=');
  });
});
