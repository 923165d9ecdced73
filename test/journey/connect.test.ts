import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page, Route } from 'playwright-core';
import type { TenantJson } from '../support/api-client.ts';
import { faultsOf, inBrowser, launchChromium, PHONE } from '../support/chromium.ts';
import { Deployment, type DirectoryJson } from '../support/deployment.ts';

/** The folder of the documentation, where pictures of the pages are put; no pictures without it. */
const PICTURES = process.env['SCREENSHOTS'];
const SHOWN = {
  name: 'Acme Production',
  owner: 'Acme Ltd',
  contact: 'help@acme.example',
  returnUrl: 'https://app.acme.example/settings/directory',
  logoUrl: 'https://app.acme.example/logo.svg',
};
const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="10" fill="#3b4cca"/>' +
  '<path d="M12 36 24 12l12 24M17 28h14" fill="none" stroke="#fff" stroke-width="4"/></svg>';

const showLogo = (route: Route) => route.fulfill({ contentType: 'image/svg+xml', body: LOGO });

// A customer's administrator at the real product, with the emulator for Microsoft: no script, a phone's width, axe on each page.
inBrowser('the outcomes of a consent in a browser')('a consent in a browser', () => {
  let deployment: Deployment;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** Shows again what the other shows, with script: axe needs some. */
  let mirror: Page;
  let count = 0;
  const shown = new Set<string>();

  beforeAll(async () => {
    deployment = await Deployment.start({ preset: 'none' });
    deployment.startProduct('all');
    [browser] = await Promise.all([launchChromium(), deployment.ready()]);
    mirror = await browser.newPage({ viewport: PHONE });
    await mirror.route('**/looked-at', async (route) =>
      route.fulfill({ contentType: 'text/html', body: await page.content() }),
    );
    await mirror.route(SHOWN.logoUrl, showLogo);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await deployment?.stop();
  }, 240_000);

  const control = <T>(method: string, path: string, body: unknown = {}) =>
    deployment.emulator.control<T>(method, path, body);

  /** A directory, an environment, and a browser that has seen neither. */
  async function scene(
    tenant: Record<string, unknown> = {},
    settings: Record<string, unknown> = {},
  ): Promise<{ directory: DirectoryJson; tenant: TenantJson }> {
    const n = ++count;
    await context?.close();
    context = await browser.newContext({
      viewport: PHONE,
      javaScriptEnabled: false,
      ignoreHTTPSErrors: true,
      deviceScaleFactor: PICTURES === undefined ? 1 : 2,
    });
    await context.route(SHOWN.logoUrl, showLogo);
    page = await context.newPage();
    const directory = await deployment.directory({
      domain: `contoso${n}.com`,
      displayName: `Contoso ${n}`,
      users: 12,
      groups: 3,
      memberships: 10,
      settings,
    });
    return { directory, tenant: await deployment.api.createTenant({ id: `env-${n}`, ...SHOWN, ...tenant }) };
  }

  /** On a page of ours with this title, which is as it should be and says these words. */
  async function sees(title: string, ...words: readonly string[]): Promise<void> {
    await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor({ timeout: 60_000 });
    await mirror.goto(`${deployment.publicUrl}/looked-at`);
    expect([title, await faultsOf(mirror)]).toEqual([title, []]);
    const text = await page.locator('body').innerText();
    for (const word of words) expect(text).toContain(word);
    await outcome(title);
  }

  /** A small picture for the gallery, of the first page with this title. */
  async function outcome(title: string): Promise<void> {
    if (PICTURES === undefined || shown.has(title)) return;
    shown.add(title);
    const name = title.toLowerCase().match(/\w+/g)?.join('-');
    await page.screenshot({ path: join(PICTURES, 'outcomes', `${name}.png`), fullPage: true, scale: 'css' });
  }

  async function picture(name: string, dark = false): Promise<void> {
    if (PICTURES === undefined) return;
    await page.setViewportSize({ width: 720, height: 640 });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.screenshot({ path: join(PICTURES, 'connect', `${name}.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(PHONE);
  }

  async function connect(tenant: TenantJson): Promise<void> {
    await page.goto(tenant.setupUrl);
    await sees('Connect your Microsoft Entra ID directory', 'Acme Production', 'User.Read.All');
    await page.getByRole('button', { name: 'Connect' }).click();
  }

  /** Picks an account on Microsoft's page, and presses a button of it. */
  async function atMicrosoft(button: 'Accept' | 'Sign in' | 'Cancel', directory: DirectoryJson, part = 'admin0') {
    await page.getByLabel('Another account').fill(`${part}@${directory.domain}`);
    await page.getByRole('button', { name: button, exact: true }).click();
  }

  async function accept(directory: DirectoryJson): Promise<void> {
    await atMicrosoft('Accept', directory);
    await atMicrosoft('Sign in', directory);
  }

  const confirm = () => page.getByRole('button', { name: 'Confirm' }).click();

  /** Another of Microsoft's addresses than the one that we send browsers to. */
  async function elsewhereAtMicrosoft(change: (url: URL) => void): Promise<void> {
    const url = new URL(page.url());
    change(url);
    await page.goto(url.href);
  }

  const standsAs = async ({ id }: TenantJson, expected: Record<string, unknown>) =>
    expect(await deployment.api.tenant(id)).toMatchObject(expected);
  const UNTOUCHED = { state: 'awaiting_consent', entraTenantId: null, problem: null };
  const follows = ({ id }: TenantJson) => deployment.api.until(id, 'it follows', ({ state }) => state === 'delta_sync');

  test('leads from the link to a connection that says what it is', async () => {
    const { directory, tenant } = await scene();
    await page.goto(tenant.setupUrl);
    await sees('Connect your Microsoft Entra ID directory', 'by Acme Ltd', 'help@acme.example', 'Groups to Sync');
    await picture('start');
    await connect(tenant);
    await accept(directory);
    await sees('Is this right?', directory.domain, directory.id, `admin0@${directory.domain}`, tenant.id, 'Acme Ltd');
    await picture('confirm');
    await standsAs(tenant, UNTOUCHED);
    await confirm();
    await follows(tenant);
    // Nobody touches anything: the page turns by itself, without script.
    await sees('Connected', 'granted', '12 people', 'How to end it', 'Back to Acme Ltd');
    await picture('connected');
    await standsAs(tenant, { state: 'delta_sync', entraTenantId: directory.id, problem: null });
  });

  test('of the v1 endpoint is as good as of v2', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    await elsewhereAtMicrosoft((url) => (url.pathname = url.pathname.replace('/v2.0/', '/')));
    await accept(directory);
    await sees('Is this right?', directory.id);
    await confirm();
    await follows(tenant);
  });

  test('is asked about nothing where the product vouches for the directory', async () => {
    const { directory, tenant } = await scene();
    const vouched = await deployment.api.createTenant({
      id: 'vouched',
      ...SHOWN,
      expectedEntraTenant: directory.domain,
    });
    await connect(vouched);
    await atMicrosoft('Accept', directory);
    await follows(vouched);
    await sees('Connected');
    await standsAs(tenant, UNTOUCHED);
  });

  test('that is not mine changes nothing, and says how to take it back', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    await accept(directory);
    await page.getByRole('button', { name: 'Not mine' }).click();
    await sees('You said that this is not right', 'Enterprise applications', 'Send this to whoever');
    await standsAs(tenant, UNTOUCHED);
  });

  describe('by somebody who may not give it', () => {
    test('is for an administrator, with a text that has the link', async () => {
      const { directory, tenant } = await scene();
      await connect(tenant);
      await atMicrosoft('Accept', directory, 'member3');
      await page.getByRole('link', { name: 'Return to the application' }).click();
      await sees('Microsoft asks for an administrator', 'AADSTS90094', 'Send this to your administrator');
      expect(await page.getByLabel('Send this to your administrator').inputValue()).toContain('/connect/');
      await picture('needs-administrator');
      await standsAs(tenant, UNTOUCHED);
    });

    test('is not proven by an account that administers nothing', async () => {
      const { directory, tenant } = await scene();
      await connect(tenant);
      await atMicrosoft('Accept', directory);
      await atMicrosoft('Sign in', directory, 'member3');
      await sees('An administrator is needed', `member3@${directory.domain}`);
      await standsAs(tenant, UNTOUCHED);
    });
  });

  test('that is cancelled or declined is told so, in either style', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    await atMicrosoft('Cancel', directory);
    await sees('Consent was cancelled');
    for (const style of ['v2', 'v1'] as const) {
      await connect(tenant);
      if (style === 'v1') await elsewhereAtMicrosoft((url) => (url.pathname = url.pathname.replace('/v2.0/', '/')));
      // What the documentation tells of a refusal; no button of the page sends it.
      await page.route('**/adminconsent?*', (route, request) =>
        route.continue({ postData: (request.postData() ?? '').replace('action=accept', 'action=decline') }),
      );
      await atMicrosoft('Accept', directory);
      await page.unroute('**/adminconsent?*');
      await sees('Consent was declined');
    }
    await connect(tenant);
    await atMicrosoft('Accept', directory);
    await atMicrosoft('Cancel', directory);
    await sees('Consent was cancelled');
    await standsAs(tenant, UNTOUCHED);
  });

  test('of another directory than the expected one is refused', async () => {
    const { directory } = await scene();
    const other = (await scene()).directory;
    const tenant = await deployment.api.createTenant({ id: 'expecting', ...SHOWN, expectedEntraTenant: directory.id });
    await connect(tenant);
    await elsewhereAtMicrosoft((url) => (url.pathname = '/organizations/v2.0/adminconsent'));
    await atMicrosoft('Accept', other);
    await sees('This is another directory');
    await standsAs(tenant, UNTOUCHED);
  });

  test('counts once: a second use, a second environment, another directory', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    const [answer] = await Promise.all([
      page.waitForRequest((request) => request.url().includes('/consent/callback')),
      atMicrosoft('Accept', directory),
    ]);
    await atMicrosoft('Sign in', directory);
    await confirm();
    await follows(tenant);
    await page.goto(answer.url());
    await sees('This answer was used already');

    const second = await deployment.api.createTenant({ id: 'second', ...SHOWN });
    await connect(second);
    await accept(directory);
    await sees('This directory is connected already');
    await standsAs(second, UNTOUCHED);
    const sharing = await deployment.api.createTenant({ id: 'sharing', ...SHOWN, sharedDirectory: true });
    await connect(sharing);
    await accept(directory);
    await confirm();
    await follows(sharing);

    const other = await deployment.directory({ domain: 'other.com', users: 6 });
    await page.goto(tenant.setupUrl);
    await page.getByRole('button', { name: 'Connect' }).click();
    await elsewhereAtMicrosoft((url) => (url.pathname = '/organizations/v2.0/adminconsent'));
    await atMicrosoft('Accept', other);
    await sees('This environment has another directory');
    await standsAs(tenant, { state: 'delta_sync', entraTenantId: directory.id });
  });

  test('that nobody asked for leads to the set-up link', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    await elsewhereAtMicrosoft((url) => url.searchParams.delete('state'));
    await atMicrosoft('Accept', directory);
    await sees('Consent was given outside the set-up link');
    await page.goto(`${deployment.publicUrl}/consent/callback`);
    await sees('This answer belongs to no request of ours');
    await standsAs(tenant, UNTOUCHED);
    await connect(tenant);
    await accept(directory);
    await confirm();
    await follows(tenant);
  });

  test('in two tabs at once connects once', async () => {
    const { directory, tenant } = await scene();
    const first = page;
    await connect(tenant);
    await accept(directory);
    page = await context.newPage();
    await connect(tenant);
    await accept(directory);
    await confirm();
    await page.waitForURL(/\/status/);
    page = first;
    await confirm();
    await follows(tenant);
    await sees('Connected');
  });

  test('that spreads slowly is waited for', async () => {
    const { directory, tenant } = await scene({}, { consentDelayMs: 16_000 });
    await connect(tenant);
    await accept(directory);
    // So soon Microsoft's sign-in does not know the application yet, and asks the administrator once more.
    await page.getByRole('button', { name: 'Accept', exact: true }).click();
    await sees('Is this right?', 'does not show us');
    await confirm();
    await sees('What happens now', 'being checked', 'can take Microsoft some minutes');
    await picture('waiting');
    await standsAs(tenant, { state: 'consented', problem: null });
    await follows(tenant);
    await sees('Connected');
  });

  test('of a part of the permissions says which one is missing, until it is there', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    await accept(directory);
    await control('POST', `tenants/${directory.id}/app/roles/remove`, { permission: 'Group.Read.All' });
    await confirm();
    await page.getByText('not there yet').first().waitFor();
    await sees('What happens now', 'Group.Read.All');
    await standsAs(tenant, { state: 'consented', entraTenantId: directory.id });
    await control('POST', `tenants/${directory.id}/app/roles/add`, { permission: 'Group.Read.All' });
    await follows(tenant);
  });

  test('that lacks a permission added later goes on, and is asked for it', async () => {
    const { directory, tenant } = await scene();
    await connect(tenant);
    await accept(directory);
    await confirm();
    await follows(tenant);
    await deployment.api.json('PATCH', `/v1/tenants/${tenant.id}`, { profiles: ['directory', 'mail'] });
    const lacking = await deployment.api.until(tenant.id, 'it says what is missing', ({ problem }) => problem !== null);
    expect([lacking.state, lacking.phase, lacking.problem?.code]).toEqual([
      'attention',
      'delta_sync',
      'permissions_missing',
    ]);
    await deployment.caughtUp(tenant.id);
    await page.goto(page.url());
    await sees('Connected', 'Mail.Read', 'missing', 'Open the set-up page');
    await picture('missing-permission', true);
    await page.getByRole('link', { name: 'Check with Microsoft now' }).click();
    await sees('Connected', 'What Microsoft says now', 'The permission Mail.Read is missing', 'Grant admin consent');
    await outcome('Checked with Microsoft');
    await control('POST', `tenants/${directory.id}/app/roles/add`, { permission: 'Mail.Read' });
    await deployment.api.json('POST', `/v1/tenants/${tenant.id}/sync`);
    await deployment.api.until(tenant.id, 'nothing is missing', ({ problem }) => problem === null);
  });

  test('that the product must approve waits for it', async () => {
    const { directory, tenant } = await scene({ requireApproval: true });
    await connect(tenant);
    await accept(directory);
    await sees('Is this right?', 'has to approve');
    await confirm();
    await sees('Waiting for approval', 'waits for approval');
    await deployment.api.until(tenant.id, 'the consent is held', ({ state }) => state === 'consented');
    await standsAs(tenant, { state: 'consented', entraTenantId: null });
    await deployment.api.json('POST', `/v1/tenants/${tenant.id}/approve`, { entraTenantId: directory.id });
    await follows(tenant);
    await sees('Connected');
  });

  test("by the environment's id alone connects the expected directory, and nothing else", async () => {
    const { directory, tenant } = await scene();
    const open = (id: string) => page.goto(`${deployment.publicUrl}/Account/AdminConsent?tenantid=${id}`);
    for (const id of [tenant.id, 'unknown']) {
      await open(id);
      await sees('This link does not work');
    }
    const named = await deployment.api.createTenant({ id: 'by-id', ...SHOWN, expectedEntraTenant: directory.id });
    await open(named.id);
    await atMicrosoft('Accept', directory);
    await sees('Your consent has arrived');
    await follows(named);
  });

  describe('and then a sign-in', () => {
    const query = (returnTo: string) => String(new URLSearchParams({ return_to: returnTo, state: 'of-the-product' }));
    const patch = (id: string, signIn: object) => deployment.api.json('PATCH', `/v1/tenants/${id}`, { signIn });

    /** A connected environment, whose mirror stays as it is from now on; `off` and `gone` are switched off and deleted there. */
    async function company() {
      const { directory, tenant } = await scene();
      const returnTo = `${deployment.publicUrl}/healthz`;
      await patch(tenant.id, { returnUrls: [returnTo] });
      const users = `tenants/${directory.id}/users`;
      const hire = (part: string) =>
        control<{ id: string }>('POST', users, { displayName: part, userPrincipalName: `${part}@${directory.domain}` });
      const [off, gone] = [await hire('off'), await hire('gone')];
      await connect(tenant);
      await accept(directory);
      await confirm();
      await follows(tenant);
      await control('PATCH', `${users}/${off.id}`, { accountEnabled: false });
      await control('DELETE', `${users}/${gone.id}`);
      await deployment.caughtUp(tenant.id);
      await deployment.api.json('POST', `/v1/tenants/${tenant.id}/pause`);
      await deployment.api.until(tenant.id, 'it is paused', ({ paused }) => paused);
      const start = (id = tenant.id) => page.goto(`${deployment.publicUrl}/signin/${id}?${query(returnTo)}`);
      const signIn = async (part: string) => {
        await start();
        await atMicrosoft('Sign in', directory, part);
      };
      return { directory, tenant, returnTo, start, signIn, hire, users, off, gone };
    }

    test('leads back with a code, or to a page that says why not', async () => {
      const { directory, tenant, returnTo, start, signIn, hire, users, off, gone } = await company();
      await start();
      const [answer] = await Promise.all([
        page.waitForRequest((request) => request.url().includes('/signin/callback')),
        atMicrosoft('Sign in', directory, 'member3'),
      ]);
      await page.waitForURL(`${returnTo}?**`);
      const came = new URL(page.url()).searchParams;
      expect(came.get('state')).toBe('of-the-product');
      const exchange = { code: came.get('code'), tenant: tenant.id, returnTo };
      const who = await deployment.api.json<{ user: object }>('POST', '/v1/signin/exchange', exchange);
      expect(who.user).toMatchObject({ userPrincipalName: `member3@${directory.domain}` });
      await page.goto(answer.url());
      await sees('This sign-in was used already');

      // Whom Microsoft itself keeps out does not come back; whom it lets in again may still be out in the mirror.
      await signIn('off');
      await page.getByText('AADSTS50057').first().waitFor();
      await control('PATCH', `${users}/${off.id}`, { accountEnabled: true });
      await signIn('off');
      await sees('Your account is disabled', 'Sign in with another account', 'Acme Production');
      await control('POST', `${users}/${gone.id}/restore`);
      await signIn('gone');
      await sees('Your account was deleted', 'Deleted users');
      await hire('new');
      await signIn('new');
      await sees('Your account is not known here yet', 'one of the groups that are synced');
      await page.getByRole('link', { name: 'Go back without signing in' }).click();
      await page.waitForURL(`${returnTo}?error=access_denied&state=of-the-product`);

      await start();
      await atMicrosoft('Cancel', directory);
      await sees('You did not sign in');
      await start('unknown');
      await sees('Nobody can sign in here');
      await page.goto(`${deployment.publicUrl}/signin/callback?code=x`);
      await sees('This answer belongs to no request of ours');
    });

    test("keeps to the directory and to the customer's own rules", async () => {
      const { directory, tenant, returnTo, start, signIn } = await company();
      const other = await deployment.directory({ domain: 'elsewhere.com', users: 6 });
      await start();
      await atMicrosoft('Sign in', other, 'member3');
      await page.getByText('AADSTS50034').first().waitFor();
      await start();
      await elsewhereAtMicrosoft((url) => (url.pathname = url.pathname.replace(directory.id, 'organizations')));
      await atMicrosoft('Sign in', other);
      // Its administrator is asked for a consent of their own first.
      await page.getByRole('button', { name: 'Accept', exact: true }).click();
      await sees('Microsoft did not sign you in', 'AADSTS700005');

      await patch(tenant.id, { returnUrls: [returnTo], requireAssignment: true });
      await signIn('member3');
      await sees('You are not assigned to this application', 'Users and groups');
      await control('PATCH', `tenants/${directory.id}/settings`, { blockedByPolicy: ['users'] });
      await signIn('member3');
      await sees('A policy of your organization blocks this sign-in', 'AADSTS53003');
    });
  });
});
