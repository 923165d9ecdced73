import { renderSubscription, type Subscription } from '../notifications/subscription.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { ControlError } from './control-error.ts';
import { lifecycleSchema, subscriptionSchema } from './schemas.ts';

/** `/_emulator/tenants/{tid}/subscriptions…` and `/deliveries`: what Microsoft does with subscriptions, and what was sent. */
export function subscriptionRoute(world: World, tenant: Tenant, route: string, body: unknown): unknown {
  const { notifications } = world;
  switch (route) {
    case 'GET subscriptions':
      return { data: notifications.list(tenant.id).map(renderSubscription) };
    case 'POST subscriptions remove': {
      // Nobody is told, as with directory subscriptions.
      const chosen = chosenOf(world, tenant, subscriptionSchema.parse(body).id);
      for (const { id } of chosen) notifications.remove(id);
      return { removed: chosen.map(({ id }) => id) };
    }
    case 'POST subscriptions lifecycle': {
      const { id, event } = lifecycleSchema.parse(body);
      const chosen = chosenOf(world, tenant, id);
      for (const subscription of chosen) notifications.tellLifecycle(tenant, subscription, event);
      return { told: chosen.map((one) => one.id) };
    }
    case 'GET deliveries':
      return { data: notifications.delivery.records.filter(({ tenants }) => tenants.includes(tenant.id)) };
    case 'DELETE deliveries':
      notifications.delivery.forget();
      return {};
    default:
      throw new ControlError(404, `no control route ${route}`);
  }
}

function chosenOf({ notifications }: World, tenant: Tenant, id: string | undefined): readonly Subscription[] {
  const own = notifications.list(tenant.id);
  if (id === undefined) return own;
  const found = own.filter((one) => one.id === id.toLowerCase());
  if (found.length === 0) throw new ControlError(404, `no subscription ${id}`);
  return found;
}
