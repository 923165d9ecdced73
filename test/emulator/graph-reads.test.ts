import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLIENT_ID, startTestEmulator, TestGraph, type TestEmulator, type TestTenant } from './test-emulator.ts';

let emulator: TestEmulator;
let tenant: TestTenant;
let graph: TestGraph;
const ids = (objects: readonly Record<string, unknown>[]): unknown[] => objects.map((object) => object['id']);

beforeAll(async () => {
  emulator = await startTestEmulator();
  tenant = await emulator.createConsentedTenant({ users: 250, groups: 12, memberships: 400 });
  graph = await emulator.graph(tenant.id);
});

afterAll(() => emulator.close());

describe('requests that Graph refuses', () => {
  it('refuses an unknown route by naming the segment', async () => {
    expect(await graph.refusal('/nothing')).toEqual({
      status: 400,
      code: 'BadRequest',
      message: "Resource not found for the segment 'nothing'.",
    });
    expect(await graph.refusal('/users/delta/more')).toMatchObject({ status: 400, code: 'BadRequest' });
  });

  it('refuses an unknown property in $select by naming property and type', async () => {
    for (const path of ['/users?$select=id,shoeSize', '/users/delta?$select=id,shoeSize']) {
      expect(await graph.refusal(path)).toEqual({
        status: 400,
        code: 'BadRequest',
        message: "Could not find a property named 'shoeSize' on type 'microsoft.graph.user'.",
      });
    }
  });

  it('answers 501 for a property that is kept outside the directory', async () => {
    expect(await graph.refusal('/users?$select=id,aboutMe')).toMatchObject({ status: 501, code: 'NotImplemented' });
  });

  it('refuses page sizes outside 1 to 999', async () => {
    expect((await graph.get('/users?$top=999')).status).toBe(200);
    for (const top of ['0', '1000', 'many']) {
      expect(await graph.refusal(`/users?$top=${top}`)).toMatchObject({ status: 400 });
    }
  });

  it('refuses advanced queries without the consistency level', async () => {
    expect(await graph.refusal('/users?$count=true')).toMatchObject({ status: 400, code: 'Request_UnsupportedQuery' });
    expect(await graph.refusal("/users?$filter=endsWith(mail,'.com')")).toMatchObject({
      code: 'Request_UnsupportedQuery',
    });
  });

  it('refuses a list of deleted items without a type', async () => {
    expect(await graph.refusal('/directory/deletedItems')).toMatchObject({ status: 400 });
  });

  it('refuses writes, the permission for which nobody granted', async () => {
    const response = await fetch(`${emulator.url}/v1.0/users`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${graph.token}` },
      body: '{}',
    });
    expect(response.status).toBe(403);
  });
});

describe('bearer tokens', () => {
  it('refuses a missing, an invented and a damaged token with a challenge', async () => {
    const [head, payload, signature] = graph.token.split('.');
    const edited = Buffer.from(JSON.stringify({ tid: tenant.id, aud: 'https://graph.microsoft.com' })).toString(
      'base64url',
    );
    for (const token of ['', 'x', `${head}.${edited}.${signature}`, `${head}.${payload}.AAAA`]) {
      const response = await new TestGraph(emulator.url, token).get('/users');
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      expect(await response.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } });
    }
  });

  it('refuses a token after its lifetime', async () => {
    const before = await emulator.graph(tenant.id);
    await emulator.control('POST', 'clock', { advanceMs: 3_700_000 });
    expect(await before.refusal('/users')).toMatchObject({ status: 401, code: 'InvalidAuthenticationToken' });
    graph = await emulator.graph(tenant.id);
  });

  it('refuses a route whose permission was not granted', async () => {
    const other = await emulator.createConsentedTenant({ domain: 'users-only.com' }, ['User.Read.All']);
    const limited = await emulator.graph(other.id);
    expect((await limited.get('/users')).status).toBe(200);
    for (const path of [
      '/groups',
      '/groups/delta',
      '/groups/$count',
      '/organization',
      '/servicePrincipals',
      '/directory/deletedItems/microsoft.graph.group',
    ]) {
      expect(await limited.refusal(path)).toMatchObject({ status: 403, code: 'Authorization_RequestDenied' });
    }
  });

  it('shows members whose type may not be read with type and id alone', async () => {
    const groups = await graph.all('/groups?$select=id');
    const members = (
      await Promise.all(groups.slice(0, 4).map((group) => graph.all(`/groups/${String(group['id'])}/members`)))
    ).flat();
    const device = members.find((member) => member['@odata.type'] === '#microsoft.graph.device');
    expect(device).toMatchObject({ id: expect.any(String), displayName: null });
    expect(members.find((member) => member['@odata.type'] === '#microsoft.graph.user')?.['displayName']).toEqual(
      expect.any(String),
    );
  });
});

describe('lists', () => {
  it('pages by 100 without $top and ends with every user once', async () => {
    const first = await graph.page('/users');
    expect(first.value).toHaveLength(100);
    const all = await graph.all('/users?$select=id');
    expect(new Set(ids(all)).size).toBe(250);
  });

  it('resumes from a link that is nothing but its $skiptoken', async () => {
    const first = await graph.page('/users?$select=id,mail&$top=7');
    const token = new URL(String(first['@odata.nextLink'])).searchParams.get('$skiptoken');
    const second = await graph.page(`/users?$skiptoken=${String(token)}`);
    expect(second.value).toHaveLength(7);
    expect(Object.keys(second.value[0] ?? {}).toSorted()).toEqual(['id', 'mail']);
    expect(ids(second.value)).not.toEqual(ids(first.value));
  });

  it('returns the default properties when none is selected', async () => {
    const { value } = await graph.page('/users?$top=1');
    expect(Object.keys(value[0] ?? {}).toSorted()).toEqual([
      'businessPhones',
      'displayName',
      'givenName',
      'id',
      'jobTitle',
      'mail',
      'mobilePhone',
      'officeLocation',
      'preferredLanguage',
      'surname',
      'userPrincipalName',
    ]);
  });

  it('counts with the consistency level, as plain text', async () => {
    const response = await graph.get('/users/$count', { ConsistencyLevel: 'eventual' });
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(Number((await response.text()).replace('\uFEFF', ''))).toBe(250);
    expect(await graph.refusal('/users/$count')).toMatchObject({ status: 400 });
  });

  it('filters by eq, in and startsWith', async () => {
    const admin = tenant.accounts[0];
    const byName = await graph.all(`/users?$filter=userPrincipalName eq '${admin?.userPrincipalName.toUpperCase()}'`);
    expect(ids(byName)).toEqual([admin?.id]);
    const some = (await graph.page('/users?$top=3')).value;
    const list = ids(some)
      .map((id) => `'${String(id)}'`)
      .join(',');
    expect(ids(await graph.all(`/users?$filter=id in (${list})`))).toEqual(ids(some));
    const guests = await graph.all("/users?$filter=userType eq 'Guest'&$select=id,userPrincipalName");
    expect(guests.length).toBeGreaterThan(1);
    for (const guest of guests) expect(guest['userPrincipalName']).toContain('#EXT#');
    expect(await graph.all("/groups?$filter=groupTypes/any(c:c eq 'Unified')&$select=id")).not.toHaveLength(0);
  });
});

describe('single objects', () => {
  it('finds a user by id, by principal name, in key syntax and with the hash of a guest encoded', async () => {
    const [guest] = await graph.all("/users?$filter=userType eq 'Guest'&$select=id,userPrincipalName");
    const id = String(guest?.['id']);
    for (const path of [
      `/users/${id}`,
      `/users('${id}')`,
      `/users/${encodeURIComponent(String(guest?.['userPrincipalName']))}`,
    ]) {
      expect(await graph.json(`${path}?$select=id`)).toMatchObject({ id });
    }
  });

  it('answers 404 for an object that is absent or deleted, and shows it among the deleted items', async () => {
    const user = await emulator.control('POST', `tenants/${tenant.id}/users`, { displayName: 'Gone' });
    const id = String(user['id']);
    expect(await graph.json(`/users/${id}`)).toMatchObject({ displayName: 'Gone' });
    await emulator.control('DELETE', `tenants/${tenant.id}/users/${id}`);
    expect(await graph.refusal(`/users/${id}`)).toMatchObject({ status: 404, code: 'Request_ResourceNotFound' });
    const deleted = await graph.json(`/directory/deletedItems/microsoft.graph.user/${id}`);
    expect(deleted).toMatchObject({ id, deletedDateTime: expect.any(String) });
    expect(ids(await graph.all('/directory/deletedItems/microsoft.graph.user'))).toContain(id);
  });

  it('leaves service principals out of a list of members', async () => {
    const [group] = await graph.all('/groups?$select=id&$top=1');
    const types = (await graph.all(`/groups/${String(group?.['id'])}/members?$select=id`)).map(
      (member) => member['@odata.type'],
    );
    expect(types).toContain('#microsoft.graph.device');
    expect(types).not.toContain('#microsoft.graph.servicePrincipal');
  });

  it('walks nested groups to the end although they form a ring, and casts members to a type', async () => {
    const make = async (): Promise<string> =>
      String((await emulator.control('POST', `tenants/${tenant.id}/groups`))['id']);
    const [a, b] = [await make(), await make()];
    const user = String(tenant.accounts[3]?.id);
    await emulator.control('POST', `tenants/${tenant.id}/groups/${a}/members`, { ids: [b] });
    await emulator.control('POST', `tenants/${tenant.id}/groups/${b}/members`, { ids: [a, user] });
    const transitive = await graph.all(`/groups/${a}/transitiveMembers?$select=id`);
    expect(new Set(ids(transitive))).toEqual(new Set([b, user]));
    expect(ids(await graph.all(`/groups/${a}/transitiveMembers/microsoft.graph.user?$select=id`))).toEqual([user]);
    expect(ids(await graph.all(`/groups/${b}/members/microsoft.graph.group?$select=id`))).toEqual([a]);
    expect(ids(await graph.all(`/users/${user}/memberOf?$select=id`))).toContain(b);
    expect(ids(await graph.all(`/users/${user}/memberOf?$select=id`))).not.toContain(a);
    expect(ids(await graph.all(`/users/${user}/transitiveMemberOf?$select=id`))).toContain(a);
  });

  it('answers 404 for a manager that does not exist', async () => {
    const [, second] = tenant.accounts;
    const [admin] = tenant.accounts;
    await emulator.control('PUT', `tenants/${tenant.id}/users/${second?.id}/manager`, { managerId: admin?.id });
    expect(await graph.json(`/users/${second?.id}/manager?$select=id`)).toMatchObject({ id: admin?.id });
    expect(await graph.refusal(`/users/${admin?.id}/manager`)).toMatchObject({ status: 404 });
  });

  it('finds the service principal by the id of the application, and what it was granted', async () => {
    const principal = await graph.json(`/servicePrincipals(appId='${CLIENT_ID}')?$select=id,appId,accountEnabled`);
    expect(principal).toMatchObject({ appId: CLIENT_ID, accountEnabled: true });
    const grants = await graph.all(`/servicePrincipals/${String(principal['id'])}/appRoleAssignments`);
    expect(grants.map((grant) => String(grant['appRoleId'])).toSorted()).toEqual(
      [
        'df021288-bdef-4463-88db-98f22de89214',
        '5b567255-7703-4780-807c-7be8301ae99b',
        '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
      ].toSorted(),
    );
  });

  it('serves reads from the past when the replica lags, while delta query is current', async () => {
    const lagging = await emulator.createConsentedTenant({ domain: 'lag.com', settings: { readLagMs: 60_000 } });
    const lagged = await emulator.graph(lagging.id);
    const user = await emulator.control('POST', `tenants/${lagging.id}/users`, { displayName: 'Fresh' });
    const id = String(user['id']);
    expect(await lagged.refusal(`/users/${id}`)).toMatchObject({ status: 404 });
    const { objects } = await lagged.round('/users/delta?$select=id');
    expect(ids(objects)).toContain(id);
    const [group] = await lagged.all('/groups?$select=id&$top=1');
    const groupId = String(group?.['id']);
    const [member] = await lagged.all(`/groups/${groupId}/members/microsoft.graph.user?$select=id`);
    const memberId = String(member?.['id']);
    await emulator.control('DELETE', `tenants/${lagging.id}/groups/${groupId}/members/${memberId}`);
    const members = async (): Promise<unknown[]> => ids(await lagged.all(`/groups/${groupId}/members?$select=id`));
    expect(await members()).toContain(memberId);
    expect(ids(await lagged.all(`/users/${memberId}/memberOf?$select=id`))).toContain(groupId);
    await emulator.control('POST', 'clock', { advanceMs: 61_000 });
    expect(await members()).not.toContain(memberId);
    expect(await lagged.json(`/users/${id}`)).toMatchObject({ id });
  });
});

describe('headers', () => {
  it('sends request ids, echoes the one of the client and names the cost', async () => {
    const response = await graph.get('/users?$top=1', { 'client-request-id': 'e70c5c1b-8b47-68c0-3171-3d22f5e0bd54' });
    expect(response.headers.get('client-request-id')).toBe('e70c5c1b-8b47-68c0-3171-3d22f5e0bd54');
    expect(response.headers.get('request-id')).toEqual(expect.any(String));
    expect(response.headers.get('x-ms-resource-unit')).toBe('1');
    expect(response.headers.get('x-ms-ags-diagnostic')).toContain('ServerInfo');
    expect(response.headers.get('content-type')).toContain('odata.metadata=minimal');
  });
});
