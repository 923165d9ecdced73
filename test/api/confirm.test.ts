import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type Answer, type ApiUnderTest } from './support/api-under-test.ts';
import { Visitor } from './support/browser.ts';
import { GLOBAL_ADMINISTRATOR } from './support/fake-graph.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

interface Tenant {
  readonly id: string;
  readonly setupUrl: string;
}
const create = async (body: Record<string, unknown> = {}): Promise<Tenant> =>
  (await api.call('POST', '/v1/tenants', { body })).body;
const show = async ({ id }: Tenant) => (await api.call('GET', `/v1/tenants/${id}`)).body;
const titleOf = ({ text }: Answer) => /<h1>([^<]*)/.exec(text)?.[1];

/** Consented and proven, up to the question. */
async function proven(
  tenant: Tenant,
  directory: string,
  visitor = new Visitor(api),
  query = '',
): Promise<{ answer: Answer; visitor: Visitor }> {
  const started = await visitor.open(`${new URL(tenant.setupUrl).pathname}/start${query}`);
  const stateOf = (answer: Answer) => new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? '';
  const consented = await visitor.callback({ admin_consent: 'True', tenant: directory, state: stateOf(started) });
  const code = api.graph.signIn({ tid: directory, wids: [GLOBAL_ADMINISTRATOR], account: 'ada@contoso.example' });
  return { answer: await visitor.callback({ code, state: stateOf(consented) }), visitor };
}

describe('a proven directory', () => {
  test('is shown with what a person knows it by, and bound by nothing but their word', async () => {
    const directory = randomUUID();
    api.graph.organizations.set(directory, { displayName: 'Contoso <Ltd>', domains: ['contoso.example', 'c.example'] });
    const tenant = await create({ name: 'Acme Production', owner: 'Example Ltd' });
    const { answer, visitor } = await proven(tenant, directory);
    const page = await visitor.asked(answer);
    expect([page.status, titleOf(page)]).toEqual([200, 'Is this right?']);
    for (const words of [
      'Contoso &lt;Ltd>',
      'contoso.example, c.example',
      directory,
      'ada@contoso.example',
      'Acme Production',
      'Example Ltd',
      tenant.id,
    ]) {
      expect(page.text).toContain(words);
    }
    expect(await show(tenant)).toMatchObject({ entraTenantId: null, candidate: null, phase: 'awaiting_consent' });
    // Looking again uses nothing up.
    const done = await visitor.submit(await visitor.asked(answer), '/consent/confirm');
    expect([done.status, done.headers.get('location')]).toEqual([303, expect.stringContaining('/status?follow=true')]);
    expect((await show(tenant)).entraTenantId).toBe(directory);
  });

  test('is told apart by the account where Microsoft does not show its name', async () => {
    const { answer, visitor } = await proven(await create(), randomUUID());
    const page = await visitor.asked(answer);
    expect(page.text).toContain('<p class="big">contoso.example</p>');
    expect(page.text).toContain('does not show us the directory');
  });

  test('that is not mine is dropped, and how to take the consent back is told', async () => {
    const tenant = await create();
    const { answer, visitor } = await proven(tenant, randomUUID());
    const page = await visitor.asked(answer);
    const dropped = await visitor.submit(page, '/consent/reject');
    expect([dropped.status, titleOf(dropped)]).toEqual([200, 'You said that this is not right']);
    expect(dropped.text).toContain('Enterprise applications');
    expect([titleOf(await visitor.submit(page, '/consent/confirm'))]).toEqual(['This answer was used already']);
    expect(await show(tenant)).toMatchObject({ entraTenantId: null, candidate: null });
  });

  test('is confirmed once, however often it is sent at once', async () => {
    const tenant = await create();
    const { answer, visitor } = await proven(tenant, randomUUID());
    const page = await visitor.asked(answer);
    const sent = await Promise.all([1, 2, 3].map(() => visitor.submit(page, '/consent/confirm')));
    expect(sent.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 409, 409]);
  });

  test('is neither shown to another browser nor confirmed from one, nor by a form without its token', async () => {
    const tenant = await create();
    const { answer, visitor } = await proven(tenant, randomUUID());
    const { pathname, search } = new URL(answer.headers.get('location') ?? '');
    expect([titleOf(await new Visitor(api).open(pathname + search))]).toEqual(['This began in another browser']);
    const page = await visitor.asked(answer);
    const stranger = new Visitor(api);
    await stranger.start((await create()).setupUrl);
    const attempts = [
      await stranger.submit(page, '/consent/confirm'),
      await visitor.submit(page, '/consent/confirm', { csrf: '' }),
      await visitor.submit(page, '/consent/confirm', { csrf: 'x'.repeat(43) }),
      await visitor.submit(page, '/consent/confirm', { state: 'x'.repeat(43) }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect((await show(tenant)).entraTenantId).toBeNull();
    // None of it used the question up.
    expect((await visitor.submit(page, '/consent/confirm')).status).toBe(303);
  });

  test('of two tabs is connected once; another directory in the second is refused', async () => {
    const [tenant, directory, other] = [await create(), randomUUID(), randomUUID()];
    const visitor = new Visitor(api);
    const [first, second] = [await proven(tenant, directory, visitor), await proven(tenant, directory, visitor)];
    const third = await proven(tenant, other, visitor);
    expect((await visitor.confirm(second.answer)).status).toBe(303);
    expect((await visitor.confirm(first.answer)).status).toBe(303);
    const late = await visitor.confirm(third.answer);
    expect([late.status, titleOf(late)]).toEqual([409, 'This environment has another directory']);
    expect((await show(tenant)).entraTenantId).toBe(directory);
  });

  test('that another environment took meanwhile is refused', async () => {
    const directory = randomUUID();
    const [tenant, rival] = [await create(), await create()];
    const slow = await proven(tenant, directory);
    const quick = await proven(rival, directory);
    await quick.visitor.confirm(quick.answer);
    const late = await slow.visitor.confirm(slow.answer);
    expect([late.status, titleOf(late)]).toEqual([409, 'This directory is connected already']);
  });

  test('is not asked about again while it is connected', async () => {
    const [tenant, directory] = [await create(), randomUUID()];
    const first = await proven(tenant, directory);
    await first.visitor.confirm(first.answer);
    const again = await proven(tenant, directory);
    expect(again.answer.headers.get('location')).toContain('/status');
  });

  test('cannot be confirmed by an answer of Microsoft, nor consent by the form', async () => {
    const tenant = await create();
    const { answer, visitor } = await proven(tenant, randomUUID());
    const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const sent = await visitor.callback({ admin_consent: 'True', tenant: randomUUID(), code: 'x', state });
    expect([sent.status, titleOf(sent)]).toEqual([400, "Microsoft's answer cannot be read"]);
    const { state: consent } = await visitor.start(tenant.setupUrl);
    expect(titleOf(await visitor.open(`/consent/confirm?state=${consent}`))).toBe('This answer is not known here');
    expect((await show(tenant)).entraTenantId).toBeNull();
  });
});

describe('groups to sync', () => {
  const query = (text: string) => `?${String(new URLSearchParams({ groupsToSync: text }))}`;

  test("are the administrator's where the product has named none", async () => {
    const tenant = await create();
    const page = await api.call('GET', new URL(tenant.setupUrl).pathname, { key: null });
    expect(page.text).toContain('name="groupsToSync"');
    const { answer, visitor } = await proven(tenant, randomUUID(), undefined, query('Sales, "Research, Development"'));
    expect((await show(tenant)).groupsToSync).toEqual([]);
    expect((await visitor.asked(answer)).text).toContain('<li>Research, Development</li>');
    await visitor.confirm(answer);
    expect((await show(tenant)).groupsToSync).toEqual(['Sales', 'Research, Development']);
  });

  test("are the product's where it has named some, shown and not asked for", async () => {
    const tenant = await create({ groupsToSync: ['Everyone'] });
    const page = await api.call('GET', new URL(tenant.setupUrl).pathname, { key: null });
    expect(page.text).not.toContain('name="groupsToSync"');
    expect(page.text).toContain('<li>Everyone</li>');
    const { answer, visitor } = await proven(tenant, randomUUID(), undefined, query('Sales'));
    await visitor.confirm(answer);
    expect((await show(tenant)).groupsToSync).toEqual(['Everyone']);
  });

  test.each(['Sales, "Research', 'a\nb', 'x'.repeat(257)])(
    'that cannot be read are told, and never taken for everything: %j',
    async (text) => {
      const { setupUrl } = await create();
      const answer = await api.call('GET', `${new URL(setupUrl).pathname}/start${query(text)}`, { key: null });
      expect([answer.status, titleOf(answer)]).toEqual([400, 'Connect your Microsoft Entra ID directory']);
      expect(answer.text).toContain('role="alert"');
      expect(answer.headers.get('location')).toBeNull();
    },
  );

  test('that came twice are told too', async () => {
    const { setupUrl } = await create();
    const path = `${new URL(setupUrl).pathname}/start?groupsToSync=a&groupsToSync=b`;
    expect((await api.call('GET', path, { key: null })).status).toBe(400);
  });
});

describe('how a tenant is shown', () => {
  const shown = {
    logoUrl: 'https://cdn.example.com/logo.svg',
    returnUrl: 'https://app.example.com/settings',
    owner: 'Example Ltd',
    contact: 'help@example.com',
    profiles: ['directory', 'mail'],
  };

  test('says whom the pages serve, and lets them load that one image alone', async () => {
    const tenant = await create({ name: 'Acme', ...shown });
    expect(await show(tenant)).toMatchObject(shown);
    const { text, headers } = await api.call('GET', new URL(tenant.setupUrl).pathname, { key: null });
    for (const words of [
      'src="https://cdn.example.com/logo.svg"',
      'by Example Ltd',
      'mailto:help@example.com',
      'Mail.Read',
    ]) {
      expect(text).toContain(words);
    }
    expect(headers.get('content-security-policy')).toMatch(/;img-src https:\/\/cdn\.example\.com$/);
    expect(text).not.toContain('Calendars.Read');
  });

  test('is changed word by word, and cleared by null', async () => {
    const tenant = await create(shown);
    const change = { owner: null, contact: 'https://example.com/help', profiles: ['calendar'] };
    const { body } = await api.call('PATCH', `/v1/tenants/${tenant.id}`, { body: change });
    expect(body).toMatchObject({ ...shown, ...change, profiles: ['directory', 'calendar'] });
  });

  test.each([
    { logoUrl: 'http://cdn.example.com/logo.svg' },
    { logoUrl: "https://a.example;script-src 'unsafe-inline'/x" },
    { logoUrl: 'https://a.example,b.example/x' },
    { logoUrl: 'https://user:word@cdn.example.com/' },
    { returnUrl: 'javascript:alert(1)' },
    { returnUrl: '/settings' },
    { contact: 'javascript:alert(1)' },
    { contact: 'a@b.example?bcc=c@d.example' },
    { profiles: ['files'] },
  ])('takes nothing that a page must not show: %j', async (body) => {
    expect((await api.call('POST', '/v1/tenants', { body })).status).toBe(400);
  });
});
