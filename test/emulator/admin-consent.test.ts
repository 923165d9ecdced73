import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CLIENT_ID,
  REDIRECT_URI,
  startTestEmulator,
  submitForm,
  type TestEmulator,
  type TestTenant,
} from './test-emulator.ts';

let emulator: TestEmulator;
let tenant: TestTenant;

beforeAll(async () => {
  emulator = await startTestEmulator();
  tenant = await emulator.createTenant();
});

afterAll(() => emulator.close());

const account = (part: string): string => tenant.accounts.find((each) => each.part === part)?.userPrincipalName ?? '';

function consentUrl(path: string, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, state: 'Zk9x', ...more });
  return `${emulator.url}/${path}?${query.toString()}`;
}

const v2 = (more: Record<string, string> = {}, authority = 'organizations'): string =>
  consentUrl(`${authority}/v2.0/adminconsent`, { scope: 'https://graph.microsoft.com/.default', ...more });

const locationOf = (response: Response): string => String(response.headers.get('location'));

describe('admin consent', () => {
  it('shows a page with the application, its permissions and the accounts', async () => {
    const response = await fetch(v2());
    const markup = await response.text();
    expect(response.status).toBe(200);
    for (const text of ['entra-sync', 'Read all groups', account('admin'), 'Accept', 'Cancel'])
      expect(markup).toContain(text);
  });

  it('answers an acceptance of the v2 style exactly as documented, and creates the grants', async () => {
    const response = await submitForm(v2(), { account: account('admin'), action: 'accept' });
    expect(response.status).toBe(302);
    expect(locationOf(response)).toBe(
      `${REDIRECT_URI}?admin_consent=True&tenant=${tenant.id}&scope=https%3a%2f%2fgraph.microsoft.com%2f.default&state=Zk9x`,
    );
    const graph = await emulator.graph(tenant.id);
    expect((await graph.get('/users')).status).toBe(200);
    const principal = await graph.json(`/servicePrincipals(appId='${CLIENT_ID}')?$select=id`);
    expect(await graph.all(`/servicePrincipals/${String(principal['id'])}/appRoleAssignments`)).toHaveLength(3);
  });

  it('answers an acceptance of the v1 style without a scope', async () => {
    const other = await emulator.createTenant({ domain: 'fabrikam.com' });
    const url = consentUrl(`${other.domain}/adminconsent`);
    const response = await submitForm(url, { account: other.accounts[0]?.userPrincipalName ?? '', action: 'accept' });
    expect(locationOf(response)).toBe(`${REDIRECT_URI}?tenant=${other.id}&state=Zk9x&admin_consent=True`);
  });

  it('names the tenant of the account that was picked, whatever the link said', async () => {
    const response = await submitForm(v2(), { account: 'admin0@fabrikam.com', action: 'accept' });
    expect(locationOf(response)).not.toContain(tenant.id);
  });

  it('answers the cancel button with access_denied', async () => {
    const response = await submitForm(v2(), { action: 'cancel' });
    expect(locationOf(response)).toBe(`${REDIRECT_URI}?error=access_denied&error_subcode=cancel&state=Zk9x`);
  });

  it('declines in the documented forms, of which v2 carries admin_consent=True', async () => {
    const declined = new URL(locationOf(await submitForm(v2(), { action: 'decline' }))).searchParams;
    expect(Object.fromEntries(declined)).toMatchObject({
      admin_consent: 'True',
      error: 'consent_required',
      error_description: expect.stringMatching(/^AADSTS65004: .*\r\nTrace ID: .*\r\nCorrelation ID: .*\r\nTimestamp: /),
      state: 'Zk9x',
    });
    const old = locationOf(await submitForm(consentUrl('common/adminconsent'), { action: 'decline' }));
    expect(old).toMatch(/\?error=permission_denied&error_description=/);
    expect(old).not.toContain('state=');
  });

  it.each(['member', 'guest', 'applicationAdmin'])('tells a %s to ask an administrator', async (part) => {
    const response = await submitForm(v2(), { account: account(part), action: 'accept' });
    const markup = await response.text();
    expect(response.status).toBe(200);
    expect(markup).toContain('Need admin approval');
    expect(markup).toContain('AADSTS90094');
    expect(markup).toContain('error=access_denied');
  });

  it('lets a privileged role administrator consent', async () => {
    const response = await submitForm(v2(), { account: account('privilegedRoleAdmin'), action: 'accept' });
    expect(locationOf(response)).toContain('admin_consent=True');
  });

  it('stays on its own page when the redirect URI is not registered', async () => {
    for (const redirect of ['https://evil.example/', `${REDIRECT_URI}/`, `${REDIRECT_URI}?x=1`]) {
      const response = await fetch(v2({ redirect_uri: redirect }), { redirect: 'manual' });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('AADSTS50011');
      expect(response.headers.get('location')).toBeNull();
    }
  });

  it('stays on its own page for an unknown application, tenant or account, and for a disabled one', async () => {
    const fetchText = async (url: string): Promise<string> => (await fetch(url)).text();
    expect(await fetchText(v2({ client_id: '11111111-1111-4111-8111-111111111111' }))).toContain('AADSTS700016');
    expect(await fetchText(v2({}, 'nobody.example'))).toContain('AADSTS90002');
    expect(await (await submitForm(v2(), { account: 'nobody@contoso.com', action: 'accept' })).text()).toContain(
      'AADSTS50034',
    );
    expect(await (await submitForm(v2(), { account: account('disabled'), action: 'accept' })).text()).toContain(
      'AADSTS50057',
    );
  });

  it('accepts only people of the tenant in the path', async () => {
    const response = await submitForm(v2({}, 'fabrikam.com'), { account: account('admin'), action: 'accept' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('AADSTS50034');
  });

  it('escapes what it shows', async () => {
    const markup = await (await fetch(v2({ login_hint: '"><script>alert(1)</script>' }))).text();
    expect(markup).not.toContain('<script>alert');
  });

  it('grants a permission that was added later only after another consent', async () => {
    const permissions = ['User.Read.All', 'Group.Read.All', 'Application.Read.All', 'Mail.Read'];
    await emulator.control('PUT', `registrations/${CLIENT_ID}`, { applicationPermissions: permissions });
    const rolesNow = async (): Promise<unknown> => (await emulator.control('GET', `tenants/${tenant.id}/app`))['roles'];
    expect(await rolesNow()).not.toContain('Mail.Read');
    await submitForm(v2(), { account: account('admin'), action: 'accept' });
    expect(await rolesNow()).toEqual(permissions);
  });
});
