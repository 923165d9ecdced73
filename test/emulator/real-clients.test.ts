import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  startTestEmulator,
  type JsonObject,
  type TestEmulator,
  type TestTenant,
} from './test-emulator.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let emulator: TestEmulator;
let tenant: TestTenant;

beforeAll(async () => {
  emulator = await startTestEmulator();
  tenant = await emulator.createConsentedTenant({ users: 400, groups: 40, memberships: 900 });
});

afterAll(() => emulator.close());

/** Runs a program in a process of its own, since a private authority can only be trusted from a process's start. */
async function runProgram(source: string): Promise<JsonObject> {
  const environment = {
    PATH: process.env['PATH'] ?? '',
    NODE_EXTRA_CA_CERTS: emulator.caFile,
    EMULATOR: emulator.httpsUrl,
    TENANT: tenant.id,
    CLIENT_ID,
    CLIENT_SECRET,
  };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: ROOT,
    env: environment,
  });
  return JSON.parse(stdout) as JsonObject;
}

const ACQUIRE = `
  import { ConfidentialClientApplication } from '@azure/msal-node';
  const { EMULATOR, TENANT, CLIENT_ID, CLIENT_SECRET } = process.env;
  const host = new URL(EMULATOR).host;
  const application = new ConfidentialClientApplication({
    auth: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, authority: EMULATOR + '/organizations', knownAuthorities: [host] },
  });
  const acquire = (more) => application.acquireTokenByClientCredential({
    scopes: ['https://graph.microsoft.com/.default'], authority: EMULATOR + '/' + TENANT, ...more,
  });
`;

const GRAPH_CLIENT = `
  import { Client, PageIterator } from '@microsoft/microsoft-graph-client';
  const graph = Client.initWithMiddleware({
    authProvider: { getAccessToken: async () => (await acquire()).accessToken },
    baseUrl: EMULATOR + '/',
    customHosts: new Set(['localhost']),
  });
  const gather = async (path) => {
    const objects = [];
    const iterator = new PageIterator(graph, await graph.api(path).get(), (object) => { objects.push(object); return true; });
    await iterator.iterate();
    return { objects, deltaLink: iterator.getDeltaLink() };
  };
`;

describe('clients that Microsoft wrote, unmodified', () => {
  it('msal-node gets a token over https, and an error that it understands', async () => {
    const result = await runProgram(`${ACQUIRE}
      const token = await acquire();
      let failure;
      try { await acquire({ authority: EMULATOR + '/99999999-9999-4999-8999-999999999999' }); } catch (error) { failure = error; }
      console.log(JSON.stringify({ token: token.accessToken.split('.').length, type: token.tokenType, error: failure.errorCode, name: failure.name }));
    `);
    expect(result).toMatchObject({ token: 3, type: 'Bearer', name: expect.any(String) });
  });

  it('msal-node reads the fields of a refused token request', async () => {
    const result = await runProgram(`${ACQUIRE.replace('clientSecret: CLIENT_SECRET', "clientSecret: 'wrong'")}
      try { await acquire(); } catch (error) {
        console.log(JSON.stringify({ errorCode: error.errorCode, errorNo: error.errorNo, status: error.status }));
      }
    `);
    expect(result).toEqual({ errorCode: 'invalid_client', errorNo: 7000215, status: 401 });
  });

  it('microsoft-graph-client lists users and members, and follows delta to its link', async () => {
    const result = await runProgram(`${ACQUIRE}${GRAPH_CLIENT}
      const users = await gather('/users?$select=id');
      const groups = await gather('/groups?$select=id');
      const members = await gather('/groups/' + groups.objects[0].id + '/members?$select=id');
      const delta = await gather('/users/delta?$select=id,displayName');
      const again = await gather(delta.deltaLink);
      let refused;
      try { await graph.api('/users/99999999-9999-4999-8999-999999999999').get(); } catch (error) { refused = error; }
      console.log(JSON.stringify({
        users: users.objects.length, groups: groups.objects.length, members: members.objects.length,
        delta: delta.objects.length, again: again.objects.length, statusCode: refused.statusCode, code: refused.code,
        requestId: typeof refused.requestId,
      }));
    `);
    expect(result).toMatchObject({ users: 400, groups: 40, delta: 400, again: 0 });
    expect(result).toMatchObject({ statusCode: 404, code: 'Request_ResourceNotFound', requestId: 'string' });
    expect(Number(result['members'])).toBeGreaterThan(0);
  });
});
