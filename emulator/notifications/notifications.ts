import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Change } from '../directory/change-log.ts';
import { Random } from '../random.ts';
import type { Tenant } from '../tenant.ts';
import { Delivery, type Outgoing } from './delivery.ts';
import { isoTime, toldAs, type Subscription } from './subscription.ts';

export const LIFECYCLE_EVENTS = ['reauthorizationRequired', 'subscriptionRemoved', 'missed'] as const;
export type LifecycleEvent = (typeof LIFECYCLE_EVENTS)[number];

/** Subscriptions of all directories, and what is told by them. */
export class Notifications {
  readonly delivery: Delivery;
  readonly #clock: Clock;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #randoms = new WeakMap<Tenant, { readonly seed: number; readonly random: Random }>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.delivery = new Delivery();
  }

  /** Those that live: an expired one is gone, and nobody is told. */
  list(tenantId?: string): Subscription[] {
    const now = this.#clock.now();
    for (const { id, expiresAt } of this.#subscriptions.values()) if (expiresAt <= now) this.#subscriptions.delete(id);
    return [...this.#subscriptions.values()].filter((one) => tenantId === undefined || one.tenantId === tenantId);
  }

  find(id: string): Subscription | undefined {
    return this.list().find((one) => one.id === id.toLowerCase());
  }

  add(made: Omit<Subscription, 'id'>): Subscription {
    const subscription = { ...made, id: randomUUID() };
    this.#subscriptions.set(subscription.id, subscription);
    return subscription;
  }

  /** Without a word to anyone, as directory subscriptions vanish (reference, 6.4). */
  remove(id: string): boolean {
    return this.#subscriptions.delete(id.toLowerCase());
  }

  /** Called after every change of a directory. */
  changed(tenant: Tenant, change: Change): void {
    if (this.#subscriptions.size === 0) return;
    const told = toldAs(change);
    if (told === undefined) return;
    const objectId = tenant.directory.idOf(change.ref);
    const outgoing: Outgoing[] = [];
    const { drop, duplicate, shuffle } = tenant.settings.notifications;
    const random = this.#randomOf(tenant);
    for (const subscription of this.list(tenant.id)) {
      const { watched, changeTypes } = subscription;
      if (watched.kind !== told.kind || !changeTypes.includes(told.type)) continue;
      if (watched.objectId !== undefined && watched.objectId !== objectId) continue;
      const item = this.#changeItem(subscription, told.kind, told.type, objectId);
      const url = subscription.notificationUrl;
      if (random.chance(drop)) {
        this.delivery.lost(url, [item], tenant.id);
        continue;
      }
      outgoing.push({ url, item, tenantId: tenant.id });
      if (random.chance(duplicate)) outgoing.push({ url, item, tenantId: tenant.id });
    }
    this.delivery.send(outgoing, tenant.settings.notifications, shuffle ? random : undefined);
  }

  tellLifecycle(tenant: Tenant, subscription: Subscription, event: LifecycleEvent): void {
    const { lifecycleNotificationUrl: url } = subscription;
    if (event === 'subscriptionRemoved') this.remove(subscription.id);
    if (url === null) return;
    const item = { ...this.#common(subscription), lifecycleEvent: event };
    this.delivery.send([{ url, item, tenantId: tenant.id }], tenant.settings.notifications);
  }

  clear(): void {
    this.#subscriptions.clear();
    this.delivery.clear();
  }

  #common(subscription: Subscription): Readonly<Record<string, unknown>> {
    return {
      subscriptionId: subscription.id,
      subscriptionExpirationDateTime: isoTime(subscription.expiresAt),
      clientState: subscription.clientState,
      tenantId: subscription.tenantId,
    };
  }

  #changeItem(
    subscription: Subscription,
    kind: 'user' | 'group',
    changeType: string,
    id: string,
  ): Readonly<Record<string, unknown>> {
    this.#sequence += 1;
    const path = `${kind === 'user' ? 'Users' : 'Groups'}/${id}`;
    return {
      ...this.#common(subscription),
      changeType,
      resource: path,
      resourceData: {
        '@odata.type': kind === 'user' ? '#Microsoft.Graph.User' : '#Microsoft.Graph.Group',
        '@odata.id': path,
        id,
        organizationId: subscription.tenantId,
        sequenceNumber: 637_000_000_000_000_000 + this.#sequence * 1024,
      },
    };
  }

  #randomOf(tenant: Tenant): Random {
    const { seed } = tenant.settings.notifications;
    const known = this.#randoms.get(tenant);
    if (known?.seed === seed) return known.random;
    const random = new Random(seed);
    this.#randoms.set(tenant, { seed, random });
    return random;
  }
}
