import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  renderSubscription,
  watchedBy,
  type ChangeType,
  type Subscription,
  type Watched,
} from '../notifications/subscription.ts';
import { badRequest, GraphError, unknownSegment } from './graph-error.ts';
import { contextUrl, demand, READ_PERMISSIONS, type GraphAnswer, type GraphRequest } from './graph-request.ts';
import type { PathPart } from './path.ts';

const MINUTE_MS = 60_000;
const LONGEST_MINUTES = 41_760;
const SHORTEST_MINUTES = 45;
const VALIDATED_WITHIN_MS = 10_000;
const QUOTAS = { app: 50_000, tenant: 1_000, appAndTenant: 100 } as const;

const createBody = z.looseObject({
  changeType: z.string(),
  notificationUrl: z.string(),
  lifecycleNotificationUrl: z.string().nullish(),
  resource: z.string(),
  expirationDateTime: z.string(),
  clientState: z.string().nullish(),
  latestSupportedTlsVersion: z.enum(['v1_0', 'v1_1', 'v1_2', 'v1_3']).nullish(),
});
const renewBody = z.looseObject({ expirationDateTime: z.string() });

/** `/subscriptions`, `/subscriptions/{id}` and `/subscriptions/{id}/reauthorize` (reference, 6.1 and 6.4). */
export async function answerSubscriptions(request: GraphRequest, path: readonly PathPart[]): Promise<GraphAnswer> {
  const [first, second, third, ...more] = path;
  const id = first?.key ?? second?.name;
  const action = first?.key === undefined ? third : second;
  if (more.length > 0) throw unknownSegment(more[0]?.name ?? '');
  const { method } = request.http;
  if (id === undefined) {
    if (method === 'GET') return list(request);
    if (method === 'POST') return create(request);
    throw notAllowed(method);
  }
  const subscription = ownSubscription(request, id);
  if (action !== undefined) {
    if (action.name !== 'reauthorize' || method !== 'POST') throw unknownSegment(action.name);
    demand(request.caller, READ_PERMISSIONS[subscription.watched.kind]);
    return { status: 204, body: '' };
  }
  switch (method) {
    case 'GET':
      return entityOf(request, subscription, 200);
    case 'PATCH': {
      demand(request.caller, READ_PERMISSIONS[subscription.watched.kind]);
      const { expirationDateTime } = parsed(renewBody, request);
      subscription.expiresAt = expiryOf(request, expirationDateTime);
      return entityOf(request, subscription, 200);
    }
    case 'DELETE':
      request.world.notifications.remove(subscription.id);
      return { status: 204, body: '' };
    default:
      throw notAllowed(method);
  }
}

async function create(request: GraphRequest): Promise<GraphAnswer> {
  const { world, tenant, caller } = request;
  const asked = parsed(createBody, request);
  const watched = watchedBy(asked.resource);
  if (watched === undefined) throw invalid(`Resource '${asked.resource}' is not supported for notifications.`);
  demand(caller, READ_PERMISSIONS[watched.kind]);
  const changeTypes = changeTypesOf(asked.changeType);
  for (const url of [asked.notificationUrl, asked.lifecycleNotificationUrl]) {
    if (url !== undefined && url !== null) checkUrl(url, tenant.settings.allowHttpNotifications);
  }
  if ((asked.clientState?.length ?? 0) > 128) throw invalid('ClientState must not exceed 128 characters.');
  const expiresAt = expiryOf(request, asked.expirationDateTime);
  checkWhetherItFits(request, watched, changeTypes);
  await validate(asked.notificationUrl, 'Notification');
  // Asked even where it is the same address: two requests (reference, 6.1).
  if (asked.lifecycleNotificationUrl) await validate(asked.lifecycleNotificationUrl, 'Lifecycle notification');
  // Another may have been made while the endpoint thought.
  checkWhetherItFits(request, watched, changeTypes);
  const principal = tenant.grants.principalOf(caller.appId);
  const creatorId = caller.userId ?? (principal === undefined ? null : tenant.directory.idOf(principal));
  const made = world.notifications.add({
    tenantId: tenant.id,
    appId: caller.appId,
    creatorId,
    resource: asked.resource,
    watched,
    changeTypes,
    notificationUrl: asked.notificationUrl,
    lifecycleNotificationUrl: asked.lifecycleNotificationUrl ?? null,
    clientState: asked.clientState ?? null,
    latestSupportedTlsVersion: asked.latestSupportedTlsVersion ?? null,
    expiresAt,
  });
  return entityOf(request, made, 201);
}

function list(request: GraphRequest): GraphAnswer {
  const { world, tenant, caller } = request;
  const own = world.notifications.list(tenant.id).filter(({ appId }) => appId === caller.appId);
  const context = contextUrl(request, 'subscriptions', undefined);
  return { body: JSON.stringify({ '@odata.context': context, value: own.map(renderSubscription) }) };
}

/** Another application's, another directory's and an expired one are all not there. */
function ownSubscription({ world, tenant, caller }: GraphRequest, id: string): Subscription {
  const found = world.notifications.find(id);
  if (found?.tenantId === tenant.id && found.appId === caller.appId) return found;
  throw new GraphError(404, 'ResourceNotFound', 'The object was not found.');
}

function entityOf(request: GraphRequest, subscription: Subscription, status: number): GraphAnswer {
  const context = `${contextUrl(request, 'subscriptions', undefined)}/$entity`;
  return { status, body: JSON.stringify({ '@odata.context': context, ...renderSubscription(subscription) }) };
}

function changeTypesOf(text: string): readonly ChangeType[] {
  const types = text.split(',').map((type) => type.trim().toLowerCase());
  if (types.every((type) => type === 'updated' || type === 'deleted')) return types;
  throw invalid(`ChangeType '${text}' is not supported for this resource: 'updated' and 'deleted' are.`);
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

function checkUrl(url: string, allowHttp: boolean): void {
  const parts = URL.canParse(url) ? new URL(url) : undefined;
  const relaxed = allowHttp && parts?.protocol === 'http:' && LOOPBACK.test(parts.hostname);
  if (parts?.protocol !== 'https:' && !relaxed) throw invalid("Invalid notification URL: it must start with 'https'.");
}

function expiryOf({ world }: GraphRequest, text: string): number {
  const at = Date.parse(text);
  const now = world.clock.now();
  if (Number.isNaN(at)) throw invalid('expirationDateTime is no time.');
  if (at <= now) throw invalid('Subscription expiration must be in the future.');
  // A second more than the limit, for the time that a request is on its way.
  if (at - now > LONGEST_MINUTES * MINUTE_MS + 1_000) {
    throw invalid(`Subscription expiration can only be ${LONGEST_MINUTES} minutes in the future.`);
  }
  return Math.max(at, now + SHORTEST_MINUTES * MINUTE_MS);
}

function checkWhetherItFits({ world, tenant, caller }: GraphRequest, watched: Watched, types: readonly string[]): void {
  const all = world.notifications.list();
  const ofTenant = all.filter(({ tenantId }) => tenantId === tenant.id);
  const ofBoth = ofTenant.filter(({ appId }) => appId === caller.appId);
  const wanted = identityOf(watched, types);
  if (ofBoth.some((other) => identityOf(other.watched, other.changeTypes) === wanted)) {
    throw new GraphError(409, 'Conflict', 'A subscription for this application, resource and change type exists.');
  }
  const ofApp = all.filter(({ appId }) => appId === caller.appId);
  refuseAbove(ofBoth.length, QUOTAS.appAndTenant, 'application and tenant');
  refuseAbove(ofTenant.length, QUOTAS.tenant, 'tenant');
  refuseAbove(ofApp.length, QUOTAS.app, 'application');
}

const identityOf = ({ kind, objectId }: Watched, types: readonly string[]) =>
  [kind, objectId, ...types.toSorted()].join('|');

function refuseAbove(count: number, limit: number, of: string): void {
  if (count < limit) return;
  throw new GraphError(403, 'Forbidden', `The limit of ${limit} subscriptions per ${of} was reached.`);
}

/** Before the answer: the endpoint must give back the decoded token, as plain text, within ten seconds. */
async function validate(url: string, which: string): Promise<void> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${randomUUID()} <&>`;
  const target = new URL(url);
  target.search = `${target.search === '' ? '?' : `${target.search}&`}validationToken=${encodeURIComponent(token)}`;
  let answer: { readonly status: number; readonly type: string; readonly text: string };
  try {
    const response = await fetch(target, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      redirect: 'manual',
      signal: AbortSignal.timeout(VALIDATED_WITHIN_MS),
    });
    const type = response.headers.get('content-type') ?? '';
    answer = { status: response.status, type, text: await response.text() };
  } catch {
    throw invalid(`Subscription validation request timed out. ${which} endpoint could not be reached.`);
  }
  if (answer.status !== 200) {
    throw invalid(
      `Subscription validation request failed. ${which} endpoint must respond with 200 OK to validation request.`,
    );
  }
  if (!/^text\/plain(;|$)/i.test(answer.type) || answer.text !== token) {
    throw invalid(
      `Subscription validation request failed. ${which} endpoint must respond with the decoded token as text/plain.`,
    );
  }
}

function parsed<T>(schema: z.ZodType<T>, { http }: GraphRequest): T {
  let body: unknown;
  try {
    body = JSON.parse(http.body);
  } catch {
    throw badRequest('Unable to read JSON request payload.');
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw invalid(`Invalid value for ${result.error.issues.map(({ path }) => path.join('.')).join(', ')}.`);
}

const invalid = (message: string) => new GraphError(400, 'ValidationError', message);
const notAllowed = (method: string) =>
  new GraphError(405, 'Request_BadRequest', `Specified HTTP method '${method}' is not allowed for the request target.`);
