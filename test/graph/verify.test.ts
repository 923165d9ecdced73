import { describe, expect, it } from '@jest/globals';
import { DIRECTORY_PERMISSIONS } from '../../src/domain/names.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { json, scriptedFetch, type Script } from './scripted-fetch.ts';

const SP = '5a1e4c9b-9a0d-4a55-8c7b-2f4f1f7a9e01';
const IDS = {
  user: 'df021288-bdef-4463-88db-98f22de89214',
  group: '5b567255-7703-4780-807c-7be8301ae99b',
  app: '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
};
const denied = (requestId = 'req-1') =>
  json({ error: { code: 'Authorization_RequestDenied' } }, 403, { 'request-id': requestId });
const token = (roles?: string[]) => `h.${Buffer.from(JSON.stringify({ roles })).toString('base64url')}.s`;

function verify(
  accessToken: string,
  routes: { principal?: Script; assigned?: string[]; users?: Script; groups?: Script },
) {
  const { fetch, seen } = scriptedFetch((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === `/v1.0/servicePrincipals(appId='app')`)
      return routes.principal?.(request) ?? json({ id: SP, appId: 'app' });
    if (pathname === `/v1.0/servicePrincipals/${SP}/appRoleAssignments`)
      return json({ value: (routes.assigned ?? []).map((appRoleId) => ({ appRoleId })) });
    if (pathname === '/v1.0/users') return routes.users?.(request) ?? json({ value: [] });
    if (pathname === '/v1.0/groups') return routes.groups?.(request) ?? json({ value: [] });
    throw new Error(`unexpected ${pathname}`);
  });
  const graph = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch });
  return { outcome: graph.verifyGrant({ accessToken, wanted: DIRECTORY_PERMISSIONS }), seen };
}

describe('verifying a grant', () => {
  it('is granted when all assignments stand and both probes pass', async () => {
    const { outcome, seen } = verify('opaque', { assigned: Object.values(IDS) });
    expect(await outcome).toEqual({ kind: 'granted', missing: [] });
    expect(seen.map(({ url }) => url)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('/users?$top=1&$select=id'),
        expect.stringContaining('/groups?$top=1&$select=id'),
      ]),
    );
  });

  it('falls back to the token where service principals may not be read', async () => {
    const { outcome } = verify(token(['User.Read.All', 'Group.Read.All']), { principal: () => denied() });
    expect(await outcome).toEqual({ kind: 'granted', missing: ['Application.Read.All'] });
  });

  it('leaves it to the probes where neither can be read', async () => {
    expect(await verify('opaque', { principal: () => denied() }).outcome).toEqual({ kind: 'granted', missing: [] });
  });

  it('names what is missing, with the request that showed it', async () => {
    const { outcome } = verify(token(['User.Read.All']), { assigned: [IDS.user], groups: () => denied('req-7') });
    expect(await outcome).toEqual({
      kind: 'not_effective',
      missing: ['Group.Read.All', 'Application.Read.All'],
      requestId: 'req-7',
    });
  });

  it('is not effective while Graph refuses what is assigned', async () => {
    const { outcome } = verify(token([]), {
      assigned: Object.values(IDS),
      users: () => json({ error: { code: 'Authorization_IdentityNotFound' } }, 401),
    });
    expect(await outcome).toEqual({ kind: 'not_effective', missing: [] });
  });

  it('is not granted by a probe alone if a required permission is seen to be missing', async () => {
    const { outcome } = verify(token(['User.ReadBasic.All', 'Group.Read.All']), { principal: () => denied() });
    expect(await outcome).toMatchObject({ kind: 'not_effective', missing: ['User.Read.All', 'Application.Read.All'] });
  });

  it('takes a wider permission for those that it contains', async () => {
    expect(await verify(token(['Directory.Read.All']), { principal: () => denied() }).outcome).toEqual({
      kind: 'granted',
      missing: [],
    });
  });

  it.each([
    [() => json({}, 429, { 'retry-after': '7' }), { kind: 'throttled', retryAfterMs: 7_000 }],
    [() => json({}, 503), { kind: 'unavailable', busy: true }],
  ] satisfies [Script, object][])('tells trouble from refusal', async (users, outcome) => {
    expect(await verify('opaque', { users }).outcome).toEqual(outcome);
  });
});

describe('the organization', () => {
  const read = (script: Script) => {
    const { fetch } = scriptedFetch((request) =>
      request.url.includes('/oauth2/')
        ? json({ access_token: 't', token_type: 'Bearer', expires_in: 3599 })
        : script(request),
    );
    return createGraph({
      clientId: 'app',
      credential: { kind: 'secret', secret: 's' },
      cloud: 'global',
      fetch,
    }).organization(SP);
  };

  it('has a name and domains, the default one first', async () => {
    const value = [
      {
        id: SP,
        displayName: 'Contoso',
        verifiedDomains: [
          { name: 'contoso.onmicrosoft.com', isDefault: false },
          { name: 'contoso.com', isDefault: true },
          { x: 1 },
        ],
      },
    ];
    expect(await read(() => json({ value }))).toEqual({
      displayName: 'Contoso',
      domains: ['contoso.com', 'contoso.onmicrosoft.com'],
    });
  });

  it.each([() => denied(), () => json({ value: [] }), () => json({}), () => json({}, 500)])(
    'is null where it cannot be read',
    async (script) => {
      expect(await read(script)).toBeNull();
    },
  );
});
