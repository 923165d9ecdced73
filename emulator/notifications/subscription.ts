import type { Change } from '../directory/change-log.ts';
import { kindOf } from '../directory/object-ref.ts';

/** What a subscription watches: a whole collection, or one object of it. */
export interface Watched {
  readonly kind: 'user' | 'group';
  readonly objectId: string | undefined;
}

export type ChangeType = 'updated' | 'deleted';

/** A change notification subscription of one application in one directory. */
export interface Subscription {
  readonly id: string;
  readonly tenantId: string;
  readonly appId: string;
  readonly creatorId: string | null;
  /** As it was asked for. */
  readonly resource: string;
  readonly watched: Watched;
  readonly changeTypes: readonly ChangeType[];
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  readonly latestSupportedTlsVersion: string | null;
  expiresAt: number;
}

/** `/users`, `users/{id}`, `/groups`, `groups/{id}`; undefined for what is not emulated. */
export function watchedBy(resource: string): Watched | undefined {
  const [, set, objectId] = /^\/?(users|groups)(?:\/([^/]+))?\/?$/i.exec(resource) ?? [];
  if (set === undefined) return undefined;
  return { kind: set.toLowerCase() === 'users' ? 'user' : 'group', objectId: objectId?.toLowerCase() };
}

/**
 * How a change is told. A creation comes as `updated`, and so does a soft deletion; only the purge is `deleted`
 * (reference, 6.1). Undefined for objects that nobody can subscribe to.
 */
export function toldAs(change: Change): { readonly kind: 'user' | 'group'; readonly type: ChangeType } | undefined {
  const kind = kindOf(change.ref);
  if (kind !== 'user' && kind !== 'group') return undefined;
  return { kind, type: change.kind === 'purged' ? 'deleted' : 'updated' };
}

/** Without fractions, as Graph writes them. */
export function isoTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

export function renderSubscription(subscription: Subscription): Readonly<Record<string, unknown>> {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.appId,
    changeType: subscription.changeTypes.join(','),
    clientState: subscription.clientState,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: isoTime(subscription.expiresAt),
    creatorId: subscription.creatorId,
    includeResourceData: null,
    latestSupportedTlsVersion: subscription.latestSupportedTlsVersion,
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
  };
}
