import { describe, expect, it } from '@jest/globals';
import { createGraph } from '../../src/graph/graph.ts';
import { json, scriptedFetch } from './scripted-fetch.ts';

const TENANT = '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55';
const SP = '5a1e4c9b-9a0d-4a55-8c7b-2f4f1f7a9e01';
const PERSON = '8f2d1c3b-0000-4000-8000-000000000001';
const GROUP = '8f2d1c3b-0000-4000-8000-000000000002';
const OTHER = '8f2d1c3b-0000-4000-8000-000000000003';
const ORIGIN = 'https://graph.microsoft.com';

function ask(pages: readonly (readonly string[] | Response)[], next = `${ORIGIN}/v1.0/next`) {
  const left = [...pages];
  const { fetch } = scriptedFetch(({ url }) => {
    const { host, pathname } = new URL(url);
    if (host.startsWith('login.')) return json({ token_type: 'Bearer', expires_in: 3599, access_token: 't' });
    if (pathname === `/v1.0/servicePrincipals(appId='app')`) return json({ id: SP });
    const page = left.shift();
    if (page === undefined) throw new Error(`unexpected ${url}`);
    if (page instanceof Response) return page;
    const value = page.map((principalId) => ({ principalId: principalId.toUpperCase() }));
    return json({ value, ...(left.length > 0 ? { '@odata.nextLink': next } : {}) });
  });
  const graph = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch });
  return graph.assignment({ entraTenant: TENANT, userId: PERSON, groupIds: [GROUP] });
}

describe('an assignment to the application', () => {
  it('is found in person or by a group, on whichever page', async () => {
    expect(await ask([[OTHER, PERSON]])).toBe('assigned');
    expect(await ask([[OTHER], [OTHER], [GROUP]])).toBe('assigned');
  });

  it('is missing only where all pages were read', async () => {
    expect(await ask([[OTHER], []])).toBe('not_assigned');
    expect(await ask([[OTHER], json({ error: { code: 'Authorization_RequestDenied' } }, 403)])).toBe('unknown');
    expect(await ask([json({})])).toBe('unknown');
  });

  it('is never read from another origin', async () => {
    expect(await ask([[OTHER], [PERSON]], 'https://evil.example/next')).toBe('unknown');
  });
});
