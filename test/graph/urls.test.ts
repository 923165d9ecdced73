import { describe, expect, it } from '@jest/globals';
import { endpointsOf } from '../../src/graph/cloud.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { json, reset, scriptedFetch, type Script } from './scripted-fetch.ts';

const TENANT = '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55';

describe('the clouds', () => {
  it.each([
    ['global', 'https://login.microsoftonline.com', 'https://graph.microsoft.com', 'https://entra.microsoft.com'],
    ['usgov', 'https://login.microsoftonline.us', 'https://graph.microsoft.us', 'https://portal.azure.us'],
    ['usgovdod', 'https://login.microsoftonline.us', 'https://dod-graph.microsoft.us', 'https://portal.azure.us'],
    [
      'china',
      'https://login.partner.microsoftonline.cn',
      'https://microsoftgraph.chinacloudapi.cn',
      'https://portal.azure.cn',
    ],
  ] as const)('%s', (cloud, authorityHost, graphOrigin, portal) => {
    expect(endpointsOf({ cloud })).toEqual({ authorityHost, graphOrigin, scope: `${graphOrigin}/.default`, portal });
  });

  it('keep their scope behind other hosts', () => {
    const hosts = { authorityHost: 'https://localhost:9443/', graphBaseUrl: 'https://localhost:9443' };
    expect(endpointsOf({ cloud: 'global', ...hosts })).toEqual({
      authorityHost: 'https://localhost:9443',
      graphOrigin: 'https://localhost:9443',
      scope: 'https://graph.microsoft.com/.default',
      portal: 'https://entra.microsoft.com',
    });
  });

  it.each(['http://localhost:9080', 'https://localhost/v1.0', 'localhost:9443', 'https://u:p@localhost', ''])(
    'refuse %j as a host',
    (host) => {
      expect(() => endpointsOf({ cloud: 'global', graphBaseUrl: host })).toThrow(/must be an https origin/);
    },
  );
});

function graphWith(script: Script) {
  const { fetch, seen } = scriptedFetch(script);
  return {
    seen,
    graph: createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch }),
  };
}

describe('the consent URL', () => {
  const { graph } = graphWith(reset);
  const request = { redirectUri: 'https://sync.example.com/consent/callback?x=1', state: 'a&b=c' };

  it('asks for all that is declared, of the directory if it is known', () => {
    const url = new URL(graph.adminConsentUrl({ ...request, entraTenant: TENANT }));
    expect(url.origin + url.pathname).toBe(`https://login.microsoftonline.com/${TENANT}/v2.0/adminconsent`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'app',
      scope: 'https://graph.microsoft.com/.default',
      redirect_uri: request.redirectUri,
      state: request.state,
    });
  });

  it('lets the administrator choose otherwise', () => {
    expect(graph.adminConsentUrl(request)).toContain('/organizations/v2.0/adminconsent?');
  });
});

describe('resolving a directory', () => {
  it('reads its id from the issuer', async () => {
    const { graph, seen } = graphWith(() =>
      json({ issuer: `https://login.microsoftonline.com/${TENANT.toUpperCase()}/v2.0` }),
    );
    expect(await graph.resolveDirectory(' Contoso.com ')).toEqual({ kind: 'directory', id: TENANT });
    expect(seen[0]?.url).toBe('https://login.microsoftonline.com/Contoso.com/v2.0/.well-known/openid-configuration');
  });

  it('knows an unknown one', async () => {
    const { graph } = graphWith(() => json({ error: 'invalid_tenant', error_codes: [90002] }, 400));
    expect(await graph.resolveDirectory('nobody.example')).toEqual({ kind: 'unknown' });
  });

  it('does not ask about what can be no directory', async () => {
    const { graph, seen } = graphWith(reset);
    for (const name of [
      '',
      'common',
      'Organizations',
      '../x',
      'a/b',
      'contoso.com?x',
      'a b',
      'ä.de',
      '@',
      '.',
      'a'.repeat(300),
    ]) {
      expect(await graph.resolveDirectory(name)).toEqual({ kind: 'unknown' });
    }
    expect(seen).toEqual([]);
  });

  it.each([
    ['a broken connection', reset],
    ['HTML', () => new Response('<html>', { status: 400 })],
    ['500', () => json({}, 500)],
    ['the template issuer', () => json({ issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' })],
  ] satisfies [string, Script][])('says that it could not ask: %s', async (_, script) => {
    expect(await graphWith(script).graph.resolveDirectory('contoso.com')).toEqual({ kind: 'unavailable' });
  });
});
