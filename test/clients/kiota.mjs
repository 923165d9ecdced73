/**
 * Microsoft's newer client for JavaScript, unmodified, takes the emulator for Microsoft. Run by
 * `npm run try:client -- node test/clients/kiota.mjs FOLDER`, with `@microsoft/msgraph-sdk`, `@microsoft/msgraph-sdk-users`,
 * `@microsoft/kiota-authentication-azure` and `@azure/identity` installed in that folder: they are no dependency of ours.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { EMULATOR, CONTROL, TENANT, CLIENT_ID, CLIENT_SECRET } = process.env;
const folder = createRequire(pathToFileURL(resolve(process.argv[2] ?? '.', 'package.json')));
const load = (name) => import(pathToFileURL(folder.resolve(name)).href);

const { ClientSecretCredential } = await load('@azure/identity');
const { AzureIdentityAuthenticationProvider } = await load('@microsoft/kiota-authentication-azure');
const { HttpMethod, RequestInformation } = await load('@microsoft/kiota-abstractions');
const { GraphRequestAdapter, createGraphServiceClient } = await load('@microsoft/msgraph-sdk');
const models = await load('@microsoft/msgraph-sdk/models/index.js');
const { createODataErrorFromDiscriminatorValue } = await load('@microsoft/msgraph-sdk/models/oDataErrors/index.js');
await load('@microsoft/msgraph-sdk-users'); // adds `users` to the client

const credential = (secret) =>
  new ClientSecretCredential(TENANT, CLIENT_ID, secret, { authorityHost: EMULATOR, disableInstanceDiscovery: true });
const hosts = new Set([new URL(EMULATOR).host, new URL(EMULATOR).hostname]);
// No scope is named, so that the client asks for the host's own.
const provider = new AzureIdentityAuthenticationProvider(credential(CLIENT_SECRET), [], undefined, hosts);
const adapter = new GraphRequestAdapter(provider);
adapter.baseUrl = `${EMULATOR}/v1.0`;
const graph = createGraphServiceClient(adapter);

async function control(method, path, body) {
  const response = await fetch(`${CONTROL}/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

/** All objects of a list or of a round, and the last page. */
async function pages(get, follow) {
  let page = await get();
  const objects = [...page.value];
  while (page.odataNextLink) {
    page = await follow(page.odataNextLink);
    objects.push(...page.value);
  }
  return { objects, last: page };
}

const byBuilder = (builder) =>
  pages(
    () => builder.get(),
    (link) => builder.withUrl(link).get(),
  );

/** There is no package of Microsoft's for groups: the request is written as theirs are, and sent and read by the client. */
function byAdapter(template, response) {
  const get = (urlTemplate) => {
    const request = new RequestInformation(HttpMethod.GET, urlTemplate, { baseurl: adapter.baseUrl });
    request.headers.add('Accept', 'application/json');
    return adapter.send(request, response, { XXX: createODataErrorFromDiscriminatorValue });
  };
  return pages(() => get(`{+baseurl}${template}`), get);
}

async function checkToken() {
  const { token } = await credential(CLIENT_SECRET).getToken('https://graph.microsoft.com/.default');
  assert.equal(token.split('.').length, 3);
  await assert.rejects(credential('wrong').getToken('https://graph.microsoft.com/.default'), /7000215/);
}

async function checkLists() {
  const users = await byBuilder(graph.users);
  assert.equal(new Set(users.objects.map(({ id }) => id)).size, 400);
  const { objects: groups } = await byAdapter('/groups', models.createGroupCollectionResponseFromDiscriminatorValue);
  assert.equal(new Set(groups.map(({ id }) => id)).size, 40);
  const { memberships } = await control('GET', 'truth');
  // Microsoft's lists of v1.0 leave service principals out.
  const wanted = memberships.filter(({ memberType }) => memberType !== 'servicePrincipal');
  const told = [];
  for (const { id } of groups) {
    const template = `/groups/${id}/members`;
    const members = await byAdapter(template, models.createDirectoryObjectCollectionResponseFromDiscriminatorValue);
    told.push(...members.objects.map((member) => `${id}:${member.id}`));
  }
  assert.deepEqual(new Set(told), new Set(wanted.map(({ groupId, memberId }) => `${groupId}:${memberId}`)));
  const nobody = graph.users.byUserId('99999999-9999-4999-8999-999999999999').get();
  await assert.rejects(nobody, ({ responseStatusCode, errorEscaped }) => {
    assert.deepEqual([responseStatusCode, errorEscaped.code], [404, 'Request_ResourceNotFound']);
    return true;
  });
  return told.length;
}

async function checkDelta() {
  const first = await byBuilder(graph.users.delta);
  assert.equal(first.objects.length, 400);
  const [changed, gone] = first.objects;
  await control('PATCH', `users/${changed.id}`, { jobTitle: 'Astronaut' });
  await control('DELETE', `users/${gone.id}`);
  const made = await control('POST', 'users', { displayName: 'Grace Hopper' });
  const { objects } = await byBuilder(graph.users.delta.withUrl(first.last.odataDeltaLink));
  const seen = new Map(objects.map((user) => [user.id, user]));
  assert.deepEqual(new Set(seen.keys()), new Set([changed.id, gone.id, made.id]));
  assert.equal(seen.get(changed.id).jobTitle, 'Astronaut');
  assert.equal(seen.get(made.id).displayName, 'Grace Hopper');
  assert.equal(seen.get(gone.id).additionalData['@removed'].reason, 'changed');
}

await checkToken();
const memberships = await checkLists();
await checkDelta();
console.log(`@azure/identity and @microsoft/msgraph-sdk: token, 400 users, 40 groups, ${memberships} members, delta`);
