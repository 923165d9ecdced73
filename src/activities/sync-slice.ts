import type { SetAside, SliceInput, SliceOutcome } from '../domain/activities.ts';
import type { Feed } from '../domain/directory.ts';
import { isKeepingDue } from '../domain/subscriptions.ts';
import { STEADY } from '../domain/throttle.ts';
import type { OpenFeed, OpenSlice } from '../store/face/sync.ts';
import type { RoundEnd } from '../store/face/tenants.ts';
import { confirmRemovals } from './confirm-removals.ts';
import type { ActivityDeps, RunContext } from './deps.ts';
import { runFeed, type FeedEnd, type Slice } from './feed-run.ts';
import { fetchWanted } from './fetch-wanted.ts';
import { findScope } from './find-scope.ts';
import { feedFaulty, graphRefused, graphUnavailable } from './graph-unavailable.ts';
import { listDeleted } from './list-deleted.ts';
import { lookAtRestored } from './look-at-restored.ts';
import { settleSuspects } from './settle-suspects.ts';
import { expireToken, readToken, type StoredToken } from './stored-token.ts';

/** Removals begin even at the budget's end, and get this much: otherwise a slice could come to them and never through. */
const SHORTEST_REMOVALS_MS = 10_000;
/** A giant gives its slot back after so many pages, so that others of its worker come to their turn between. */
const FULL_SLICE_PAGES = 500;
const TRY_AGAIN_MS = 2_000;
/** A round that must begin anew again and again is Microsoft's trouble: the waits between grow. */
const FIRST_RESTART_WAIT_MS = 30_000;
const LONGEST_RESTART_WAIT_MS = 10 * 60_000;
const DONE: FeedEnd = { end: 'done' };

/**
 * Works on a round until it is complete, the budget is used up, or something else must happen first. Whatever kills it,
 * the next slice goes on from the last page that was committed.
 */
export async function syncSlice(deps: ActivityDeps, input: SliceInput, context: RunContext): Promise<SliceOutcome> {
  const { store, clock, graph } = deps;
  const { tenantNo } = input;
  const startedAt = clock.now();
  const token = await readToken(deps, tenantNo);
  const throttledMs = (token?.throttledUntil ?? 0) - startedAt;
  // Another slice, or another worker, was asked to wait: nothing begins before that.
  if (throttledMs > 0) return { outcome: 'throttled', kind: input.kind, retryAfterMs: throttledMs };
  const opened = await store.sync.openSlice({ ...input, queryHash: graph.queryHash });
  if (opened === 'halted') return { outcome: 'superseded', kind: input.kind };
  if ('completed' in opened) return completed(deps, opened.completed, token);
  const { kind } = opened;
  if (!token) return { outcome: 'token_needed', kind };
  if (kind === 'delta') return workOn(deps, input, context, opened, token, startedAt);
  if (deps.fullSlices.free === 0) return { outcome: 'no_room', kind, tryAgainInMs: TRY_AGAIN_MS };
  deps.fullSlices.free--;
  try {
    return await workOn(deps, input, context, opened, token, startedAt);
  } finally {
    deps.fullSlices.free++;
  }
}

async function workOn(
  deps: ActivityDeps,
  input: SliceInput,
  context: RunContext,
  opened: OpenSlice,
  token: StoredToken,
  startedAt: number,
): Promise<SliceOutcome> {
  const { tenantNo } = input;
  const { kind } = opened;
  const progress = { pages: 0, changes: 0 };
  const slice: Slice = {
    tenantNo,
    accessToken: token.accessToken,
    chosen: opened.chosen,
    // What is asked for last must still be written within the budget.
    fetchUntil: startedAt + deps.sliceBudgetMs - Math.min(5_000, deps.sliceBudgetMs / 10),
    signal: context.signal,
    kept: { waits: 0 },
    limits: { pace: STEADY },
    priority: kind === 'full' ? 'low' : undefined,
    pages: { left: kind === 'full' ? FULL_SLICE_PAGES : Infinity },
    known: { inPart: opened.partial },
    wrote(changes, pages) {
      progress.pages += pages;
      progress.changes += changes;
      context.heartbeat({ ...progress });
    },
    beat: () => context.heartbeat({ ...progress }),
  };

  const found = opened.scope ? await findScope(deps, slice, fencesOf(opened), opened.scope) : DONE;
  if (found.end !== 'done') return ended(deps, input, opened, token, found);
  const ends = await (opened.scope ? runWithin(deps, slice, opened) : runFeeds(deps, slice, opened));
  let aside = asideOf(opened, ends);
  let end = worst(aside === undefined ? ends : ends.filter((one) => one.end !== 'forbidden'));
  if (end.end === 'done') {
    const looks = opened.restored || opened.scope !== null || progress.changes > 0;
    end = await readBeside(deps, slice, opened, aside?.feed, looks);
  }
  if (end.end === 'forbidden' && end.beside && kind === 'delta') {
    // What the scope wants stays wanted; what the feeds told is applied.
    aside ??= setAsideFor(end.beside, end);
    end = DONE;
  }
  if (end.end === 'done' && opened.suspects) {
    const { users, groups } = opened.feeds;
    end = await settleSuspects(deps, slice, { users: users.fence, groups: groups.fence });
  }
  if (end.end !== 'done') return ended(deps, input, opened, token, end);
  if (aside && (await deps.store.sync.setAside(fencesOf(opened), aside.feed)) === 'superseded') {
    return { outcome: 'superseded', kind };
  }
  const outcome = await finishRound(deps, input, slice, opened, token, startedAt + deps.sliceBudgetMs);
  return aside && outcome.outcome === 'completed' ? { ...outcome, setAside: aside } : outcome;
}

/** The feed that Graph refuses while the other goes on: a permission was taken away. A full round needs both to tell what is gone. */
function asideOf({ kind, feeds }: OpenSlice, ends: readonly FeedEnd[]): SetAside | undefined {
  const open = openOf(feeds);
  const at = ends.findIndex((one) => one.end === 'forbidden');
  const refused = ends[at];
  const feed = open[at]?.fence.feed;
  const goesOn = open.length === 1 || ends.some((one) => one.end !== 'forbidden');
  if (kind === 'full' || refused?.end !== 'forbidden' || feed === undefined || !goesOn) return undefined;
  return setAsideFor(feed, refused);
}

function setAsideFor(feed: Feed, { code, requestId }: Extract<FeedEnd, { end: 'forbidden' }>): SetAside {
  return {
    feed,
    ...(code === undefined ? {} : { graphCode: code }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

const openOf = (feeds: OpenSlice['feeds']) => [feeds.users, feeds.groups].filter((feed) => !feed.done);

/** What a slice says that came to no end of its round. */
async function ended(
  deps: ActivityDeps,
  input: SliceInput,
  opened: OpenSlice,
  token: StoredToken,
  end: Exclude<FeedEnd, { end: 'done' }>,
): Promise<SliceOutcome> {
  const { kind } = opened;
  const { tenantNo } = input;
  switch (end.end) {
    case 'unfinished':
      return { outcome: 'unfinished', kind, tokenExpiresAt: token.expiresAt };
    case 'superseded':
      deps.log.info({ tenantNo }, 'The slice was overtaken: its last page is not written');
      return { outcome: 'superseded', kind };
    case 'token_needed':
      await expireToken(deps, tenantNo, token);
      return { outcome: 'token_needed', kind };
    case 'forbidden':
      return {
        outcome: 'forbidden',
        kind,
        ...(end.code === undefined ? {} : { graphCode: end.code }),
        ...(end.requestId === undefined ? {} : { requestId: end.requestId }),
      };
    case 'throttled':
      return { outcome: 'throttled', kind, retryAfterMs: end.retryAfterMs };
    case 'faulty':
      return giveUpRound(deps, input, opened, token);
    case 'expired':
      return startAnew(deps, input, opened, token, end.atStart);
    case 'unavailable':
      throw graphUnavailable(end);
    case 'refused':
      throw graphRefused(end);
  }
}

/** What is read beside the feeds, once they have come to their ends. */
async function readBeside(
  deps: ActivityDeps,
  slice: Slice,
  opened: OpenSlice,
  aside: Feed | undefined,
  looks: boolean,
): Promise<FeedEnd> {
  const fences = fencesOf(opened);
  // What a refused feed would have to say waits until it is allowed again, and a scope is not filled without its groups.
  const fill = async () =>
    (opened.scope ? aside !== 'groups' : slice.known.inPart)
      ? fetchWanted(deps, slice, opened, fences, aside && (aside === 'users' ? 'groups' : 'users'))
      : DONE;
  const filled = await fill();
  if (filled.end !== 'done' || !looks) return filled;
  if (opened.scope && aside !== 'groups') {
    const listed = await listDeleted(deps, slice, fences);
    if (listed.end !== 'done') return listed;
  }
  const looked = await lookAtRestored(deps, slice, fences);
  // Memberships that a look has found may let somebody in.
  return looked.end === 'done' ? fill() : looked;
}

/** In a full round the groups come first, so that people can be told from the memberships of what is to be synced. */
async function runWithin(deps: ActivityDeps, slice: Slice, opened: OpenSlice): Promise<readonly FeedEnd[]> {
  if (opened.kind === 'delta') return runFeeds(deps, slice, opened);
  const fences = fencesOf(opened);
  const fillGroups = () => fetchWanted(deps, slice, opened, fences, 'groups');
  const { groups, users } = opened.feeds;
  const begins = groups.link === undefined && !groups.done;
  const steps = [
    // Whoever is restored while all is read is in no later list.
    async () => (begins ? listDeleted(deps, slice, fences) : DONE),
    fillGroups,
    async () => (groups.done ? DONE : runFeed(deps, slice, groups)),
    fillGroups,
    async () => (users.done ? DONE : runFeed(deps, slice, users)),
  ];
  for (const step of steps) {
    const end = await step();
    if (end.end !== 'done') return [end];
  }
  return [];
}

/** In delta rounds users come before groups, so that members are known; a full round runs both side by side. */
async function runFeeds(deps: ActivityDeps, slice: Slice, { kind, feeds }: OpenSlice): Promise<readonly FeedEnd[]> {
  const open = openOf(feeds);
  if (kind === 'full') return runTogether(deps, slice, open);
  const ends: FeedEnd[] = [];
  for (const feed of open) {
    if (ends.length > 0 && deps.clock.now() >= slice.fetchUntil) return [...ends, { end: 'unfinished' }];
    const end = await runFeed(deps, slice, feed);
    ends.push(end);
    if (end.end !== 'done' && end.end !== 'forbidden') break;
  }
  return ends;
}

/** What ends one feed for a reason ends the other too, cleanly: nothing is in flight or half written when this returns. */
async function runTogether(deps: ActivityDeps, slice: Slice, open: readonly OpenFeed[]): Promise<readonly FeedEnd[]> {
  const stop = new AbortController();
  const together: Slice = { ...slice, signal: AbortSignal.any([slice.signal, stop.signal]) };
  const run = async (feed: OpenFeed): Promise<FeedEnd> => {
    try {
      const end = await runFeed(deps, together, feed);
      if (end.end !== 'done' && end.end !== 'unfinished') stop.abort();
      return end;
    } catch (error) {
      // The other feed ended this one: its reason is told, this one merely goes on in the next slice.
      if (stop.signal.aborted && error === stop.signal.reason) return { end: 'unfinished' };
      stop.abort();
      throw error;
    }
  };
  const settled = await Promise.allSettled(open.map(run));
  slice.signal.throwIfAborted();
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

// What must be known first stands first: who lost the fence says nothing more, a dead token explains a refusal.
const ORDER: readonly FeedEnd['end'][] = [
  'superseded',
  'token_needed',
  'forbidden',
  'refused',
  'faulty',
  'expired',
  'throttled',
  'unavailable',
  'unfinished',
  'done',
];

function worst(ends: readonly FeedEnd[]): FeedEnd {
  return [...ends].sort((a, b) => ORDER.indexOf(a.end) - ORDER.indexOf(b.end))[0] ?? { end: 'done' };
}

/** Dead links: the round goes on as a full one from its start, beside the mirror (4.5). */
async function startAnew(
  deps: ActivityDeps,
  input: SliceInput,
  opened: OpenSlice,
  token: StoredToken,
  atStart: boolean,
): Promise<SliceOutcome> {
  const { tenantNo } = input;
  // "Start again" in answer to a start: there is nothing to drop, and only time helps.
  if (atStart && opened.kind === 'full') throw graphUnavailable({});
  const restarted = await deps.store.sync.restartAsFull(fencesOf(opened));
  if (restarted === 'superseded') return { outcome: 'superseded', kind: opened.kind };
  deps.log.warn({ tenantNo, was: opened.kind }, 'A delta or page link is dead: a full round starts');
  const wait = deps.patience.nextButFirst(`restarted/${tenantNo}`, FIRST_RESTART_WAIT_MS, LONGEST_RESTART_WAIT_MS);
  if (wait > 0) throw graphUnavailable({ retryAfterMs: wait });
  return { outcome: 'unfinished', kind: 'full', tokenExpiresAt: token.expiresAt };
}

/** Links that lead nowhere: everything is read again, and if that leads nowhere either, a person must know. */
async function giveUpRound(
  deps: ActivityDeps,
  { tenantNo }: SliceInput,
  opened: OpenSlice,
  token: StoredToken,
): Promise<SliceOutcome> {
  const { kind } = opened;
  deps.log.warn({ tenantNo, kind }, 'The links of a round lead in a circle, or on and on: a full round starts');
  const again = await readAgain(deps, opened, token);
  if (kind === 'full' && again.outcome !== 'superseded') throw feedFaulty();
  return again;
}

async function finishRound(
  deps: ActivityDeps,
  input: SliceInput,
  slice: Slice,
  opened: OpenSlice,
  token: StoredToken,
  budgetEnd: number,
): Promise<SliceOutcome> {
  const { store, clock } = deps;
  const { kind } = opened;
  const fences = fencesOf(opened);
  // Held by its timer: a timeout that is held by nothing but `any` is garbage before its time.
  const overtime = new AbortController();
  const timer = setTimeout(() => overtime.abort(), Math.max(budgetEnd - clock.now(), SHORTEST_REMOVALS_MS));
  const until = AbortSignal.any([slice.signal, overtime.signal]);
  const looks = confirmRemovals(deps, slice, kind, opened.feeds.groups.fence);
  const removed = await store.sync.applyRemovals(fences, slice.beat, until, looks).finally(() => clearTimeout(timer));
  if (removed === 'superseded') return { outcome: 'superseded', kind };
  slice.signal.throwIfAborted();
  const why = looks.stopped();
  if (why === 'read_again') return readAgain(deps, opened, token);
  if (why && why.end !== 'done') return ended(deps, input, opened, token, why);
  if (removed === 'stopped') return { outcome: 'unfinished', kind, tokenExpiresAt: token.expiresAt };
  const summary = await store.sync.completeRound(fences);
  if (summary === 'superseded') return { outcome: 'superseded', kind };
  deps.patience.reset(`restarted/${slice.tenantNo}`);
  deps.patience.reset(`throttled/${slice.tenantNo}`);
  const outcome = completed(deps, summary, token);
  return {
    ...outcome,
    ...(isDue(deps, opened) ? { subscriptionsDue: true } : {}),
    ...(opened.reconcileDue ? { reconcileDue: true } : {}),
  };
}

function isDue({ clock, notificationUrl }: ActivityDeps, { subscriptions }: OpenSlice): boolean {
  const kept = subscriptions && { ...subscriptions, keepAt: subscriptions.keepAt.getTime() };
  return isKeepingDue(clock.now(), notificationUrl, kept);
}

/** Nothing is applied: the feed is not believed. */
async function readAgain(
  { store }: Pick<ActivityDeps, 'store'>,
  opened: OpenSlice,
  token: StoredToken,
): Promise<SliceOutcome> {
  const restarted = await store.sync.restartAsFull(fencesOf(opened));
  if (restarted === 'superseded') return { outcome: 'superseded', kind: opened.kind };
  return { outcome: 'unfinished', kind: 'full', tokenExpiresAt: token.expiresAt };
}

function completed(
  { syncIntervalMs }: Pick<ActivityDeps, 'syncIntervalMs'>,
  { kind, changes, heldSince, unresolvedGroups }: Pick<RoundEnd, 'kind' | 'changes' | 'heldSince' | 'unresolvedGroups'>,
  token: StoredToken | undefined,
): Extract<SliceOutcome, { outcome: 'completed' }> {
  return {
    outcome: 'completed',
    kind,
    changes,
    nextInMs: syncIntervalMs,
    tokenExpiresAt: token?.expiresAt ?? 0,
    ...(heldSince === undefined ? {} : { heldSince }),
    ...(unresolvedGroups === undefined ? {} : { unresolvedGroups }),
  };
}

function fencesOf({ feeds }: OpenSlice) {
  return [feeds.users.fence, feeds.groups.fence];
}
