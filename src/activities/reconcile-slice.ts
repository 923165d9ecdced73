import { type Feed, FEEDS } from '../domain/directory.ts';
import { RECONCILE_RETRY_MS } from '../domain/reconcile.ts';
import { STEADY } from '../domain/throttle.ts';
import type { OpenReconcile, ReconcileFence } from '../store/face/reconcile.ts';
import type { ActivityDeps, RunContext } from './deps.ts';
import { fetchPage, type Slice } from './feed-run.ts';
import { readToken } from './stored-token.ts';

const FIRST_RESTART_WAIT_MS = 10 * 60_000;

/**
 * A piece of a reconcile, at most a slice's budget long, beside the tenant's rounds: whatever ends it, the next one goes on
 * from the last page that was compared. It asks for nothing while no token is there: the rounds get one.
 */
export async function reconcileSlice(
  deps: ActivityDeps,
  { tenantNo }: { readonly tenantNo: number },
  context: RunContext,
): Promise<void> {
  const { clock, sliceBudgetMs } = deps;
  const token = await readToken(deps, tenantNo);
  if (!token || token.throttledUntil > clock.now()) return;
  const opened = await deps.store.reconcile.open(tenantNo);
  if (opened === 'nothing_due') return;
  const beat = () => context.heartbeat();
  const slice: Slice = {
    tenantNo,
    accessToken: token.accessToken,
    chosen: opened.chosen,
    fetchUntil: clock.now() + sliceBudgetMs - Math.min(5_000, sliceBudgetMs / 10),
    signal: context.signal,
    kept: { waits: 0 },
    limits: { pace: STEADY },
    priority: 'low',
    pages: { left: Infinity },
    known: { inPart: false },
    wrote: beat,
    beat,
  };
  if (opened.step === 'count') return compareCounts(deps, slice, opened.fence);
  for (const feed of FEEDS) {
    if (opened.feeds[feed].done) continue;
    if ((await compareFeed(deps, slice, opened, feed)) !== 'done') return;
  }
  const finished = await deps.store.reconcile.finish(opened.fence);
  if (finished === 'superseded') return;
  deps.patience.reset(restartsOf(tenantNo));
  deps.log.info({ tenantNo, ...finished }, 'The mirror was held against a fresh read');
}

async function compareFeed(
  deps: ActivityDeps,
  slice: Slice,
  { fence, feeds }: Extract<OpenReconcile, { step: 'compare' }>,
  feed: Feed,
): Promise<'done' | 'stopped'> {
  let { link } = feeds[feed];
  for (;;) {
    const got = await fetchPage(deps, slice, { feed, link, fromDelta: false }, slice.signal);
    if (got.kind !== 'page') return stop(deps, fence, feed, got.kind);
    const compared = await deps.store.reconcile.comparePage(fence, feed, { ...got.page, skipped: got.skipped });
    if (compared === 'superseded') return 'stopped';
    if (compared === 'faulty') return stop(deps, fence, feed, 'the links lead nowhere');
    slice.beat();
    link = got.page.nextLink;
    if (link === undefined) return 'done';
    if (deps.clock.now() >= slice.fetchUntil) return 'stopped';
  }
}

/** What passes by itself is left to the next slice. */
async function stop(
  { store, log, patience }: ActivityDeps,
  fence: ReconcileFence,
  feed: Feed,
  why: string,
): Promise<'stopped'> {
  if (why === 'throttled' || why === 'unavailable' || why === 'token_rejected') return 'stopped';
  log.warn({ tenantNo: fence.tenantNo, feed, why }, 'A reconcile could not go on, and begins anew');
  // Dead links: at once the first time, and then ever later, until one comes to its end.
  const expired = () => patience.nextButFirst(restartsOf(fence.tenantNo), FIRST_RESTART_WAIT_MS, RECONCILE_RETRY_MS);
  await store.reconcile.startOver(fence, why === 'delta_expired' ? expired() : RECONCILE_RETRY_MS);
  return 'stopped';
}

const restartsOf = (tenantNo: number) => `reconcile/${tenantNo}`;

async function compareCounts({ store, graph }: ActivityDeps, slice: Slice, fence: ReconcileFence): Promise<void> {
  const { accessToken, signal } = slice;
  const users = await graph.count({ feed: 'users', accessToken, signal });
  const groups = await graph.count({ feed: 'groups', accessToken, signal });
  if (users.kind !== 'counted' || groups.kind !== 'counted') return;
  await store.reconcile.counted(fence, { users: users.count, groups: groups.count });
}
