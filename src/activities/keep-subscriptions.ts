import { createHash, randomBytes } from 'node:crypto';
import type { KeepOutcome } from '../domain/activities.ts';
import { keepRetryMs, renewalAt, SUBSCRIPTION_LIFE_MS } from '../domain/subscriptions.ts';
import { mayFetch } from '../domain/tenant.ts';
import type { SubscribedResource, SubscriptionRow } from '../store/face/subscriptions.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import type { ActivityDeps, RunContext } from './deps.ts';
import { readToken } from './stored-token.ts';

const RESOURCES: readonly SubscribedResource[] = ['users', 'groups'];

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'sealer' | 'clock' | 'log' | 'notificationUrl'>;

/** One tenant's work of this activity, with all that its steps need. */
interface Keeping {
  readonly deps: Deps;
  readonly tenantNo: number;
  readonly accessToken: string;
  readonly signal: AbortSignal;
}

export async function keepSubscriptions(
  deps: Deps,
  { tenantNo }: { readonly tenantNo: number },
  { signal }: Pick<RunContext, 'signal'>,
): Promise<KeepOutcome> {
  const { store, clock, notificationUrl: baseUrl } = deps;
  const [tenant, rows, before] = await Promise.all([
    store.tenants.byNo(tenantNo),
    store.subscriptions.of(tenantNo),
    store.subscriptions.keeping(tenantNo),
  ]);
  const wanted = baseUrl !== undefined && tenant && mayFetch(tenant.phase) && tenant.deletingAt === null;
  if (!wanted) return endAll(deps, tenantNo, tenant, rows, signal);

  const token = await readToken(deps, tenantNo);
  const mayAsk = token !== undefined && token.throttledUntil <= clock.now();
  const keeping = mayAsk ? { deps, tenantNo, accessToken: token.accessToken, signal } : undefined;
  let begun = false;
  const expiries: number[] = [];
  // What tells another address tells nobody, and Graph makes no second one beside it.
  const moved = before.baseUrl !== null && before.baseUrl !== baseUrl;
  if (keeping && moved) await dropAll(keeping, rows);
  for (const resource of RESOURCES) {
    const row = moved ? undefined : rows.find((one) => one.resource === resource);
    const kept = keeping && (await keepOne(keeping, resource, row, baseUrl));
    if (kept === undefined) break;
    begun ||= kept.begun;
    expiries.push(kept.expiresAt.getTime());
  }
  const now = clock.now();
  if (expiries.length === RESOURCES.length) {
    const keepAt = new Date(renewalAt(now, expiries, Math.random()));
    await store.subscriptions.kept(tenantNo, { keepAt, baseUrl, failures: 0, failingSince: null });
    return { kept: 'ok', begun };
  }
  const failures = before.failures + 1;
  const failingSince = before.failingSince ?? new Date(now).toISOString();
  const keepAt = new Date(now + keepRetryMs(failures));
  await store.subscriptions.kept(tenantNo, { keepAt, baseUrl, failures, failingSince });
  return { kept: 'failing', begun, failingSince };
}

/** The subscription of one resource, renewed or made; undefined where Microsoft will not, now. */
async function keepOne(
  keeping: Keeping,
  resource: SubscribedResource,
  row: SubscriptionRow | undefined,
  baseUrl: string,
): Promise<{ readonly begun: boolean; readonly expiresAt: Date } | undefined> {
  const { deps, tenantNo, accessToken, signal } = keeping;
  const { store, graph, clock, log } = deps;
  const expiresAt = new Date(clock.now() + SUBSCRIPTION_LIFE_MS);
  if (row) {
    const renewed = await graph.subscriptions.renew(row.id, expiresAt, { accessToken, signal });
    if (renewed.kind === 'subscribed') {
      await store.subscriptions.renewed(tenantNo, resource, renewed.expiresAt);
      return { begun: false, expiresAt: renewed.expiresAt };
    }
    if (renewed.kind !== 'not_found') return failed(keeping, resource, renewed);
    // Nobody tells when a directory subscription goes (6.4).
    log.warn({ tenantNo, resource }, 'A subscription was gone; it is made anew');
    await store.subscriptions.drop(tenantNo, resource);
  }
  const clientState = randomBytes(32).toString('base64url');
  const made = await graph.subscriptions.create({
    resource,
    notificationUrl: `${baseUrl}/graph/notifications`,
    lifecycleNotificationUrl: `${baseUrl}/graph/lifecycle`,
    clientState,
    expiresAt,
    accessToken,
    signal,
  });
  if (made.kind !== 'subscribed') return failed(keeping, resource, made);
  const clientStateHash = createHash('sha256').update(clientState).digest();
  const known = await store.subscriptions.put(tenantNo, {
    resource,
    id: made.id,
    clientStateHash,
    expiresAt: made.expiresAt,
  });
  if (!known) {
    await forget(keeping, made.id);
    return undefined;
  }
  return { begun: true, expiresAt: made.expiresAt };
}

function failed(
  { deps, tenantNo }: Keeping,
  resource: SubscribedResource,
  outcome: { readonly kind: string; readonly code?: string; readonly requestId?: string },
): undefined {
  const { kind: reason, code, requestId } = outcome;
  deps.log.warn(
    { tenantNo, resource, reason, code, requestId },
    'Microsoft keeps no subscription for us now; changes arrive by the interval',
  );
  return undefined;
}

/** Deletes all that there are. What cannot be deleted expires, and what it tells until then is nobody's. */
async function endAll(
  deps: Deps,
  tenantNo: number,
  tenant: TenantRow | undefined,
  rows: readonly SubscriptionRow[],
  signal: AbortSignal,
): Promise<KeepOutcome> {
  const { store } = deps;
  const accessToken = rows.length > 0 ? await anyToken(deps, tenantNo, tenant, signal) : undefined;
  for (const { resource, id } of rows) {
    if (accessToken !== undefined) await forget({ deps, tenantNo, accessToken, signal }, id);
    await store.subscriptions.drop(tenantNo, resource);
  }
  await store.subscriptions.kept(tenantNo, { keepAt: null, baseUrl: null, failures: 0, failingSince: null });
  return { kept: 'off', begun: false };
}

/** A revocation takes the stored token away before this is asked; Microsoft may still give one. */
async function anyToken(
  deps: Deps,
  tenantNo: number,
  tenant: TenantRow | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const stored = await readToken(deps, tenantNo);
  if (stored) return stored.accessToken;
  if (!tenant?.entraTenantId) return undefined;
  const fresh = await deps.graph.tokenFor(tenant.entraTenantId, signal);
  return fresh.kind === 'token' ? fresh.accessToken : undefined;
}

async function dropAll(keeping: Keeping, rows: readonly SubscriptionRow[]): Promise<void> {
  for (const { resource, id } of rows) {
    await forget(keeping, id);
    await keeping.deps.store.subscriptions.drop(keeping.tenantNo, resource);
  }
}

async function forget({ deps, accessToken, signal }: Keeping, id: string): Promise<void> {
  await deps.graph.subscriptions.remove(id, { accessToken, signal });
}
