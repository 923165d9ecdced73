import type { GraphClient } from './client.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf, type Json } from './json.ts';

/** The collections of which changes are told. Graph's own limits: at most 29 days, and an instance per resource (6.2). */
export type SubscribedResource = 'users' | 'groups';

export interface SubscriptionRequest {
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

export interface NewSubscription extends SubscriptionRequest {
  readonly resource: SubscribedResource;
  /** Where changes are told, and where the subscription's own life is. */
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string;
  /** A secret that comes back with each notification. */
  readonly clientState: string;
  readonly expiresAt: Date;
}

export type SubscriptionOutcome =
  | {
      readonly kind: 'subscribed';
      readonly id: string;
      /** As Graph decided: it may be another than was asked for. */
      readonly expiresAt: Date;
    }
  | Exclude<GraphFailure, { kind: 'delta_expired' }>;

export interface Subscriptions {
  /** Graph asks both addresses before it answers. An older one of ours that stands in the way is replaced. */
  create(wanted: NewSubscription): Promise<SubscriptionOutcome>;
  /** `not_found`: it is gone, and nobody has told. */
  renew(id: string, expiresAt: Date, request: SubscriptionRequest): Promise<SubscriptionOutcome>;
  /** As well as can be: what is not deleted expires. */
  remove(id: string, request: SubscriptionRequest): Promise<void>;
}

/** A creation waits for two validations of ten seconds each. */
const CREATE_TIMEOUT_MS = 30_000;

export function createSubscriptions(client: GraphClient): Subscriptions {
  const post = ({ accessToken, signal, ...wanted }: NewSubscription) =>
    client.send('/subscriptions', {
      method: 'POST',
      accessToken,
      timeoutMs: CREATE_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
      body: {
        // A creation is told as an update, and so is a soft deletion (6.1).
        changeType: 'updated,deleted',
        resource: `/${wanted.resource}`,
        notificationUrl: wanted.notificationUrl,
        lifecycleNotificationUrl: wanted.lifecycleNotificationUrl,
        clientState: wanted.clientState,
        expirationDateTime: wanted.expiresAt.toISOString(),
        latestSupportedTlsVersion: 'v1_2',
      },
    });

  const remove: Subscriptions['remove'] = async (id, request) => {
    await client.send(`/subscriptions/${encodeURIComponent(id)}`, { method: 'DELETE', ...request });
  };

  return {
    remove,

    async create(wanted) {
      const { accessToken, signal } = wanted;
      const request = { accessToken, ...(signal ? { signal } : {}) };
      const first = outcomeOf(await post(wanted));
      // 409: one that was made and not written down, as after a crash between the two.
      if (first.kind !== 'refused' || first.code.toLowerCase() !== 'conflict') return first;
      const listed = await client.get('/subscriptions', { ...request, asked: 'entity' });
      const stale = listed.kind === 'ok' ? ownOf(listed.body, wanted) : [];
      if (stale.length === 0) return first;
      for (const id of stale) await remove(id, request);
      return outcomeOf(await post(wanted));
    },

    async renew(id, expiresAt, request) {
      const path = `/subscriptions/${encodeURIComponent(id)}`;
      const body = { expirationDateTime: expiresAt.toISOString() };
      return outcomeOf(await client.send(path, { method: 'PATCH', body, ...request }));
    },
  };
}

function outcomeOf(reply: Awaited<ReturnType<GraphClient['send']>>): SubscriptionOutcome {
  if (reply.kind === 'delta_expired') return { kind: 'unavailable' };
  if (reply.kind !== 'ok') return reply;
  const id = textOf(reply.body['id']);
  const expiresAt = new Date(textOf(reply.body['expirationDateTime']) ?? Number.NaN);
  if (id === undefined || Number.isNaN(expiresAt.getTime())) return { kind: 'unavailable' };
  return { kind: 'subscribed', id, expiresAt };
}

/** Ids of those that tell the same to the same address; another installation's are not ours to delete. */
function ownOf(body: Json, wanted: NewSubscription): readonly string[] {
  const value = body['value'];
  const all = Array.isArray(value) ? value.filter(isObject) : [];
  return all
    .filter((one) => textOf(one['notificationUrl']) === wanted.notificationUrl)
    .filter((one) => textOf(one['resource'])?.replace(/^\//, '').toLowerCase() === wanted.resource)
    .map((one) => textOf(one['id']))
    .filter((id) => id !== undefined);
}
