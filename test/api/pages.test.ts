import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { setupTokenOf } from '../../src/api/consent/setup-link.ts';
import { faultsOf, inBrowser, launchChromium, PHONE } from '../support/chromium.ts';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { outcomePages } from './support/outcome-pages.ts';
import { signInPages } from './support/sign-in-page.ts';
import { recordPhase, tenantRow } from './support/seed.ts';

inBrowser('the pages in a browser')('every page', () => {
  let api: ApiUnderTest;
  let browser: Browser;
  let login: string;
  const microsoft = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Sign in</title><h1>Microsoft</h1>');
  });
  /** Path → page, on the server, or answered before and handed to the browser. */
  const paths = new Map<string, string>();
  const rendered = new Map<string, string>();

  beforeAll(async () => {
    await new Promise<void>((resolve) => microsoft.listen(0, '127.0.0.1', resolve));
    login = `http://127.0.0.1:${(microsoft.address() as AddressInfo).port}`;
    api = await startApi({ login });
    browser = await launchChromium();
    await preparePages();
  }, 240_000);
  afterAll(async () => {
    await browser.close();
    await api.close();
    microsoft.close();
  });

  async function create(body: Record<string, unknown>): Promise<{ id: string; path: string }> {
    const { body: tenant } = await api.call('POST', '/v1/tenants', { body });
    return { id: tenant.id, path: new URL(tenant.setupUrl).pathname };
  }

  async function preparePages(): Promise<void> {
    const named = await create({ name: `Contoso ${'Verylongname'.repeat(8)}` });
    paths.set('set-up', named.path);
    paths.set('not connected yet', `${named.path}/status`);
    const expecting = await create({ expectedEntraTenant: randomUUID() });
    paths.set('set-up with an expected directory', expecting.path);
    const problem = { code: 'permissions_missing', since: new Date().toISOString(), requestId: randomUUID() } as const;
    for (const phase of ['consented', 'syncing', 'delta_sync', 'revoked'] as const) {
      const { id, path } = await create({});
      await recordPhase(api.store, id, { phase, problem: phase === 'syncing' ? problem : null });
      paths.set(`status ${phase}`, `${path}/status?follow=false`);
      if (phase === 'delta_sync') paths.set('set-up again', path);
      if (phase === 'syncing') {
        await api.store.consents.bind((await tenantRow(api.store, id)).no, randomUUID());
        paths.set('status with what was found', `${path}/check`);
      }
    }
    const waiting = await create({});
    const { no, linkSerial } = await tenantRow(api.store, waiting.id);
    const at = new Date().toISOString();
    const candidate = { entraTenantId: randomUUID(), account: null, displayName: null, domains: [], at };
    await api.store.consents.propose(no, candidate);
    paths.set('waiting for approval', `${waiting.path}/status`);
    const old = setupTokenOf({ no, linkSerial }, api.deps.sealer, new Date(Date.now() - 31 * 86_400_000));
    paths.set('expired link', `/connect/${old}`);
    paths.set('link that leads nowhere', '/connect/nowhere');
    paths.set('problem type', '/problems/cursor-expired');
    paths.set('problem', '/problems/unknown');
    for (const [name, html] of await outcomePages(api)) {
      const path = `/rendered/${rendered.size}`;
      rendered.set(path, html);
      paths.set(name, path);
    }
    expect(new Set([...rendered.values()].map((html) => /<h1>[^<]*/.exec(html)?.[0])).size).toBe(rendered.size);
    for (const [name, html] of await signInPages(api)) {
      const path = `/rendered/${rendered.size}`;
      rendered.set(path, html);
      paths.set(`sign-in: ${name}`, path);
    }
  }

  async function newPage(options: { readonly script: boolean; readonly dark?: boolean }): Promise<Page> {
    const context: BrowserContext = await browser.newContext({
      viewport: PHONE,
      javaScriptEnabled: options.script,
      colorScheme: options.dark ? 'dark' : 'light',
    });
    await context.route(`${api.base}/rendered/*`, (route) =>
      route.fulfill({ contentType: 'text/html', body: rendered.get(new URL(route.request().url()).pathname) ?? '' }),
    );
    return context.newPage();
  }

  test.each([
    ['light', false],
    ['dark', true],
  ])(
    'has no violation that axe finds, and fits 320 px, in %s',
    async (_name, dark) => {
      const page = await newPage({ script: true, dark });
      const faults: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && /Content Security Policy/.test(message.text())) faults.push(message.text());
      });
      for (const [name, path] of paths) {
        await page.goto(`${api.base}${path}`);
        faults.push(...(await faultsOf(page)).map((fault) => `${name}: ${fault}`));
      }
      await page.context().close();
      expect(faults).toEqual([]);
      expect(paths.size).toBeGreaterThan(20);
    },
    240_000,
  );

  test('leads to Microsoft without script, by keyboard alone', async () => {
    const page = await newPage({ script: false });
    await page.goto(`${api.base}${paths.get('set-up')}`);
    await page.getByRole('button', { name: 'Connect' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(`${login}/**`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Microsoft');
    expect((await page.context().cookies()).map(({ name }) => name)).toEqual(['entra-sync-browser']);
    await page.context().close();
  });

  test('of a connection that is followed loads itself again, and stops when told to', async () => {
    const page = await newPage({ script: false });
    const path = paths.get('waiting for approval') ?? '';
    await page.goto(`${api.base}${path}?follow=true`);
    await page.waitForRequest(`${api.base}${path}?follow=true`, { timeout: 60_000 });
    await page.getByRole('link', { name: 'Stop that' }).click();
    await page.waitForURL(`${api.base}${path}`);
    expect(await page.getByRole('link', { name: 'Look again' }).count()).toBe(1);
    await page.context().close();
  });
});
