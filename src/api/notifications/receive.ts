import { createHash, timingSafeEqual } from 'node:crypto';
import type { KnownSubscription } from '../../store/face/subscriptions.ts';
import type { ApiDeps } from '../deps.ts';

/** What comes in this time after the first notification is looked for by the same round. */
const DEBOUNCE_MS = 300;
/** Graph's ids are GUIDs; what is longer is asked of nobody. */
const LONGEST_ID = 64;

interface Claim {
  readonly subscriptionId: string;
  readonly clientState: string;
  readonly tenantId: string;
}

/**
 * Takes a batch, which may mix subscriptions and directories. What it says of changes is not read: it is worth a round of
 * those tenants whose subscription it names and whose secret it knows. All of it is committed before this returns.
 */
export async function receive(
  items: readonly unknown[],
  kind: 'notifications' | 'lifecycle',
  { store, hint }: Pick<ApiDeps, 'store' | 'hint'>,
): Promise<{ readonly accepted: number; readonly ignored: number }> {
  const claims = items.map(claimOf).filter((claim) => claim !== undefined);
  const ids = [...new Set(claims.map(({ subscriptionId }) => subscriptionId))];
  const known = new Map((await store.subscriptions.known(ids)).map((one) => [one.id, one]));
  const proven = claims.map((claim) => provenBy(claim, known)).filter((one) => one !== undefined);
  const names = new Map(proven.map(({ tenantNo, tenantId }) => [tenantNo, tenantId]));
  // Whatever happens to a subscription: that it is looked after, and a round for what was not told, is the answer.
  const fresh = await store.subscriptions.hint([...names.keys()], { keepNow: kind === 'lifecycle' });
  for (const tenantNo of fresh) later(() => hint(tenantNo, names.get(tenantNo) ?? ''));
  return { accepted: proven.length, ignored: items.length - proven.length };
}

function provenBy(claim: Claim, known: ReadonlyMap<string, KnownSubscription>): KnownSubscription | undefined {
  const subscription = known.get(claim.subscriptionId);
  if (!subscription) return undefined;
  const state = createHash('sha256').update(claim.clientState).digest();
  const right = timingSafeEqual(state, subscription.clientStateHash);
  return right && claim.tenantId === subscription.entraTenantId.toLowerCase() ? subscription : undefined;
}

function claimOf(item: unknown): Claim | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { subscriptionId, clientState, tenantId } = item as Partial<Record<keyof Claim, unknown>>;
  if (typeof subscriptionId !== 'string' || subscriptionId.length > LONGEST_ID || subscriptionId.includes('\0')) {
    return undefined;
  }
  if (typeof clientState !== 'string' || typeof tenantId !== 'string') return undefined;
  return { subscriptionId, clientState, tenantId: tenantId.toLowerCase() };
}

/** The database lets one hint a tenant through until a round takes it, so there is never a second timer for one. */
function later(act: () => Promise<void>): void {
  setTimeout(() => void act(), DEBOUNCE_MS).unref();
}
