import { describe, expect, it } from '@jest/globals';
import { GROUP_ATTRIBUTES, USER_ATTRIBUTES, type Feed } from '../../src/domain/directory.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { brokenBody, json, reset, scriptedFetch, type Script } from './scripted-fetch.ts';

const ORIGIN = 'https://graph.microsoft.com';
const DELTA = `${ORIGIN}/v1.0/users/delta?$deltatoken=abc`;
const ids = Array.from({ length: 9 }, (_, n) => `0000000${n}-0000-4000-8000-00000000000${n}`);
const [a, b, c, d] = ids as [string, string, string, string];

function feedOf(script: Script) {
  const { fetch, seen } = scriptedFetch(script);
  const graph = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch });
  const page = (link?: string, feed: Feed = 'users', fromDelta = false) =>
    graph.feedPage({ feed, link, fromDelta, accessToken: 'T0KEN' });
  return { graph, page, seen };
}

const answering = (body: unknown) => feedOf(() => json(body));

describe('what is asked', () => {
  it('selects every attribute by name, and the members of groups', async () => {
    const { page, seen } = answering({ value: [], '@odata.deltaLink': DELTA });
    await page();
    await page(undefined, 'groups');
    const selects = seen.map(({ url }) => new URL(url).searchParams.get('$select')?.split(','));
    expect(selects).toEqual([
      ['id', ...USER_ATTRIBUTES],
      ['id', ...GROUP_ATTRIBUTES, 'members'],
    ]);
    expect(new URL(seen[1]?.url ?? '').pathname).toBe('/v1.0/groups/delta');
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer T0KEN');
    expect(seen[0]?.headers.get('client-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('asks for single objects by a filter of ids, and for the same attributes', async () => {
    const { graph, seen } = answering({ value: [], '@odata.deltaLink': DELTA });
    await graph.feedPage({ feed: 'groups', link: undefined, ids: [a, b], fromDelta: false, accessToken: 'T0KEN' });
    const { searchParams } = new URL(seen[0]?.url ?? '');
    expect(searchParams.get('$filter')).toBe(`id eq '${a}' or id eq '${b}'`);
    expect(searchParams.get('$select')?.split(',')).toEqual(['id', ...GROUP_ATTRIBUTES, 'members']);
  });

  it("asks for a tenant's own attributes and reads them in their shapes, a manager as an id", async () => {
    const extension = `extension_${'0'.repeat(32)}_costCenter`;
    const { graph, seen } = answering({
      value: [
        {
          id: a,
          city: 'Oslo',
          businessPhones: 'none',
          onPremisesExtensionAttributes: { extensionAttribute1: 'x\0', extensionAttribute2: null },
          [extension]: 7,
          'manager@delta': [{ id: c, '@removed': { reason: 'deleted' } }, { id: d }],
        },
        { id: b, 'manager@delta': [{ id: c, '@removed': { reason: 'deleted' } }] },
        { id: c, city: null },
      ],
      '@odata.deltaLink': DELTA,
    });
    const chosen = ['city', 'businessPhones', 'onPremisesExtensionAttributes', extension, 'manager'];
    const got = await graph.feedPage({
      feed: 'users',
      link: undefined,
      fromDelta: false,
      chosen,
      accessToken: 'T0KEN',
    });
    const { searchParams } = new URL(seen[0]?.url ?? '');
    expect(searchParams.get('$select')?.split(',')).toEqual(['id', ...USER_ATTRIBUTES, ...chosen]);
    expect(got).toMatchObject({ kind: 'page', skipped: { 'businessPhones of another type': 1 } });
    const attributes = got.kind === 'page' ? got.page.items.map((item) => 'attributes' in item && item.attributes) : [];
    expect(attributes).toEqual([
      {
        city: 'Oslo',
        onPremisesExtensionAttributes: { extensionAttribute1: 'x\uFFFD', extensionAttribute2: null },
        [extension]: 7,
        manager: d,
      },
      { manager: null },
      { city: null },
    ]);
  });

  it('calls a link to the letter', async () => {
    const link = `${ORIGIN}/v1.0/users/delta()?$skiptoken=a+b%2Bc==&$select=id&x=%c3%a4&$SKIPTOKEN=Z`;
    const { page, seen } = answering({ value: [], '@odata.deltaLink': DELTA });
    await page(link);
    expect(seen[0]?.url).toBe(link);
  });

  it('has one stable hash for each query', () => {
    const { graph } = answering({});
    expect(graph.queryHash.users).toMatch(/^[0-9a-f]{64}$/);
    expect(graph.queryHash.users).not.toBe(graph.queryHash.groups);
  });

  it('sends no token to another origin: such a link is as good as expired', async () => {
    for (const link of [
      'https://graph.microsoft.com.evil.example/v1.0/users/delta',
      `http://graph.microsoft.com/v1.0/x`,
      `${ORIGIN}:444/v1.0/x`,
    ]) {
      const { page, seen } = answering({ value: [], '@odata.deltaLink': DELTA });
      expect(await page(link)).toEqual({ kind: 'delta_expired' });
      expect(seen).toEqual([]);
    }
  });
});

describe('a page of users', () => {
  it('keeps present keys with null, leaves absent ones out, and drops what nobody asked for', async () => {
    const { page } = answering({
      value: [
        {
          '@odata.type': '#microsoft.graph.user',
          id: a.toUpperCase(),
          displayName: 'Åsa',
          mail: null,
          accountEnabled: false,
          proxyAddresses: [],
          secret: 1,
        },
        { id: b },
      ],
      '@odata.nextLink': `${ORIGIN}/v1.0/users/delta?$skiptoken=1`,
    });
    expect(await page()).toEqual({
      kind: 'page',
      skipped: {},
      load: {},
      page: {
        nextLink: `${ORIGIN}/v1.0/users/delta?$skiptoken=1`,
        items: [
          {
            kind: 'object',
            id: a,
            attributes: { displayName: 'Åsa', mail: null, accountEnabled: false, proxyAddresses: [] },
            members: [],
          },
          { kind: 'object', id: b, attributes: {}, members: [] },
        ],
      },
    });
  });

  it('tells removals with their reason, the milder one where none is given', async () => {
    const { page } = answering({
      value: [
        { id: a, '@removed': { reason: 'changed' } },
        { id: b, '@removed': { reason: 'deleted' } },
        { id: c, '@removed': {} },
        { id: d, '@removed': { reason: 'brand new' }, displayName: 'x' },
      ],
      '@odata.deltaLink': DELTA,
    });
    expect(await page()).toMatchObject({
      page: {
        deltaLink: DELTA,
        items: [
          { reason: 'changed' },
          { reason: 'deleted' },
          { reason: 'changed' },
          { kind: 'removed', reason: 'changed' },
        ],
      },
    });
  });

  it('keeps the order and every version of an object', async () => {
    const { page } = answering({
      value: [
        { id: a, displayName: '1' },
        { id: a, '@removed': { reason: 'changed' } },
        { id: a, displayName: '2' },
      ],
      '@odata.deltaLink': DELTA,
    });
    expect(await page()).toMatchObject({
      page: {
        items: [{ attributes: { displayName: '1' } }, { kind: 'removed' }, { attributes: { displayName: '2' } }],
      },
    });
  });

  it('leaves bad objects and attributes out, counts them, and keeps the rest', async () => {
    const { page } = answering({
      value: [
        null,
        7,
        'x',
        [],
        {},
        { id: 'no-guid', displayName: 'x' },
        { id: a, displayName: { evil: true }, accountEnabled: 'yes', otherMails: [1], mail: 'm' },
      ],
      '@odata.deltaLink': DELTA,
    });
    expect(await page()).toMatchObject({
      page: { items: [{ id: a, attributes: { mail: 'm' } }] },
      skipped: {
        'object without an id': 6,
        'displayName of another type': 1,
        'accountEnabled of another type': 1,
        'otherMails of another type': 1,
      },
    });
  });

  it('makes texts storable that PostgreSQL would refuse', async () => {
    const { page } = feedOf(
      () =>
        new Response(
          String.raw`{"value":[{"id":"${a}","displayName":"a\u0000b\ud800c\udc00\ud83d\ude00","otherMails":["\u0000"]}],"@odata.deltaLink":"${DELTA}"}`,
        ),
    );
    expect(await page()).toMatchObject({
      page: { items: [{ attributes: { displayName: 'a\uFFFDb\uFFFDc\uFFFD😀', otherMails: ['\uFFFD'] } }] },
    });
  });
});

describe('a page of groups', () => {
  it('reads every member type, removals, and repeated slices of one group', async () => {
    const members = ['user', 'group', 'device', 'servicePrincipal', 'orgContact'].map((type, n) => ({
      '@odata.type': `#microsoft.graph.${type}`,
      id: ids[n],
    }));
    const { page } = answering({
      value: [
        { id: a, displayName: 'G', 'members@delta': members },
        {
          id: a,
          displayName: 'G',
          'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: b, '@removed': { reason: 'deleted' } }],
        },
        { id: c },
      ],
      '@odata.deltaLink': `${ORIGIN}/v1.0/groups/delta?$deltatoken=x`,
    });
    expect(await page(undefined, 'groups')).toMatchObject({
      page: {
        items: [
          {
            id: a,
            members: members.map(({ id, ...type }) => ({
              memberId: id,
              memberType: type['@odata.type'].split('.')[2],
              removed: false,
            })),
          },
          { id: a, members: [{ memberId: b, memberType: 'user', removed: true }] },
          { id: c, members: [] },
        ],
      },
      skipped: {},
    });
  });

  it('ignores and counts members of unknown types, but follows their removal', async () => {
    const { page } = answering({
      value: [
        {
          id: a,
          'members@delta': [
            { '@odata.type': '#microsoft.graph.robot', id: b },
            { id: c },
            { '@odata.type': 'a person: alice@contoso.com', id: c },
            { '@odata.type': '#microsoft.graph.user' },
            { '@odata.type': '#microsoft.graph.robot', id: d, '@removed': { reason: 'deleted' } },
          ],
        },
      ],
      '@odata.deltaLink': `${ORIGIN}/v1.0/groups/delta?$deltatoken=x`,
    });
    expect(await page(undefined, 'groups')).toMatchObject({
      page: { items: [{ members: [{ memberId: d, removed: true }] }] },
      skipped: {
        'member of type #microsoft.graph.robot': 1,
        'member of type none': 1,
        'member of type unreadable': 1,
        'member without an id': 1,
      },
    });
  });
});

describe('an answer that is no page', () => {
  it.each([
    ['HTML', () => new Response('<html>Sign in to the Wi-Fi</html>')],
    ['half a body', () => new Response('{"value":[{"id"')],
    ['a body that breaks off', () => brokenBody('{"value":[')],
    ['an empty body', () => new Response('')],
    ['an array', () => json([])],
    ['no value', () => json({ '@odata.deltaLink': DELTA })],
    ['no link', () => json({ value: [] })],
    ['both links', () => json({ value: [], '@odata.deltaLink': DELTA, '@odata.nextLink': DELTA })],
    ['a broken connection', reset],
  ] satisfies [string, Script][])('is unavailable: %s', async (_, script) => {
    expect(await feedOf(script).page()).toEqual({ kind: 'unavailable' });
  });

  it('refuses to store a link to elsewhere', async () => {
    const { page } = answering({ value: [], '@odata.nextLink': 'https://evil.example/v1.0/users/delta?$skiptoken=1' });
    expect(await page()).toEqual({ kind: 'refused', code: 'LinkToAnotherOrigin' });
  });

  it('takes a good body under a wrong content type', async () => {
    const { page } = feedOf(
      () =>
        new Response(JSON.stringify({ value: [], '@odata.deltaLink': DELTA }), {
          headers: { 'content-type': 'text/html' },
        }),
    );
    expect(await page()).toMatchObject({ kind: 'page' });
  });

  it('takes 410 as expired on the page that follows a delta link', async () => {
    const { page } = feedOf(() => json({ error: { code: 'resyncRequired' } }, 410));
    expect(await page(DELTA, 'users', true)).toEqual({ kind: 'delta_expired' });
  });
});
