import type { Feed } from '../domain/directory.ts';
import type { Chosen } from '../domain/scope.ts';
import type { OpenFeed } from '../store/face/sync.ts';
import type { FeedPageOutcome, FeedPageRequest } from '../graph/delta-feed.ts';
import { isNearLimit, type Load, LONGEST_STORED_WAIT_MS, type Pace, paceAfter, paceHeld } from '../domain/throttle.ts';
import type { Priority } from '../graph/client.ts';
import type { GraphFailure } from '../graph/failures.ts';
import type { ActivityDeps } from './deps.ts';

/** How far a feed came in this slice, and why no further. */
export type FeedEnd =
  | { readonly end: 'done' }
  | { readonly end: 'unfinished' | 'superseded' | 'token_needed' }
  /** The links lead in a circle, or on and on without anything new. */
  | { readonly end: 'faulty' }
  /** The links are dead. `atStart`: even the initial query is answered so. */
  | { readonly end: 'expired'; readonly atStart: boolean }
  /** `beside`: not to read a feed, but what is asked for by id beside it. */
  | { readonly end: 'forbidden'; readonly code?: string; readonly requestId?: string; readonly beside?: Feed }
  | { readonly end: 'throttled'; readonly retryAfterMs: number }
  | { readonly end: 'unavailable'; readonly requestId?: string }
  | { readonly end: 'refused'; readonly code: string; readonly requestId?: string };

/** What the feeds of one slice share. */
export interface Slice {
  readonly tenantNo: number;
  readonly accessToken: string;
  /** Attributes beside the contract's that the tenant chose. */
  readonly chosen: Chosen;
  /** Milliseconds since 1970: no page is asked for after it, except the first. */
  readonly fetchUntil: number;
  readonly signal: AbortSignal;
  /** Counts written pages and tells that work goes on. */
  wrote(changes: number, pages: number): void;
  /** Tells that work goes on: a request begins, or a wait. */
  beat(): void;
  /** Short waits that Microsoft asked for and that were kept inside the slice, by both feeds together. */
  readonly kept: { waits: number };
  /** How fast Microsoft's limits let the slice go on, both feeds together. */
  readonly limits: { pace: Pace };
  /** Of its requests: what nobody waits for goes last. */
  readonly priority: Priority | undefined;
  /** Pages that the slice may still ask for. */
  readonly pages: { left: number };
  /** Whether something is known in part, and to be asked for whole. */
  readonly known: { inPart: boolean };
}

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

const LONGEST_WAIT_INSIDE_MS = 10_000;
const WAITS_INSIDE = 2;
const FIRST_UNSTATED_WAIT_MS = 30_000;
const LONGEST_UNSTATED_WAIT_MS = 10 * 60_000;
/** A broken connection or one bad answer costs milliseconds; what lasts longer belongs to Temporal's retries, in sight. */
const QUICK_RETRIES_MS = [250, 1_000] as const;

/** Fetched pages that may wait while others are written: enough that neither Graph nor the database waits for the other. */
const PAGES_AHEAD = 3;

interface Fetched {
  readonly link: string | undefined;
  readonly got: FeedPageOutcome;
  /** Its link was followed before: it would be so for ever. */
  readonly circles: boolean;
  /** What is fetched after it in this slice. */
  readonly next: string | undefined;
}

/** What waits for its turn to be written; undefined: the slice asks for no more. */
interface Turn {
  readonly fetched: Promise<Fetched | undefined>;
  hasArrived: boolean;
}

/**
 * Follows a feed from where it stands. While pages are written those after them are fetched, and no more than a few: memory
 * does not grow with the feed, and a crash repeats no more requests than that. What arrived meanwhile is written together.
 */
export async function runFeed(deps: Deps, slice: Slice, feed: OpenFeed): Promise<FeedEnd> {
  const own = new AbortController();
  const signal = AbortSignal.any([slice.signal, own.signal]);
  const seen = new Set(feed.link === undefined ? [] : [feed.link]);
  const { feed: name } = feed.fence;
  const fetchOne = async (link: string | undefined, fromDelta: boolean): Promise<Fetched> => {
    const got = await fetchPage(deps, slice, { feed: name, link, fromDelta }, signal);
    const nextLink = got.kind === 'page' ? got.page.nextLink : undefined;
    const circles = nextLink !== undefined && seen.has(nextLink);
    const goesOn = !circles && slice.pages.left > 0 && deps.clock.now() < slice.fetchUntil;
    const next = goesOn ? nextLink : undefined;
    if (next !== undefined) seen.add(next);
    return { link, got, circles, next };
  };
  const fetchAfter = async (before: Promise<Fetched | undefined>): Promise<Fetched | undefined> => {
    const next = (await before)?.next;
    return next === undefined ? undefined : fetchOne(next, false);
  };
  let last: Promise<Fetched | undefined> = fetchOne(feed.link, feed.fromDelta);
  const turns = [turnOf(last)];
  try {
    for (;;) {
      const pages = await takePages(turns);
      if (pages.length === 0) return endAt(deps, slice, await turns[0]?.fetched);
      while (turns.length < PAGES_AHEAD) turns.push(turnOf((last = fetchAfter(last))));
      const end = await writePages(deps, slice, feed, pages);
      if (end) return end;
    }
  } finally {
    own.abort();
    await Promise.allSettled(turns.map(({ fetched }) => fetched));
  }
}

function turnOf(fetched: Turn['fetched']): Turn {
  const turn = { fetched, hasArrived: false };
  // A failure is met when its turn comes; until then it must not count as unhandled.
  fetched.then(
    () => (turn.hasArrived = true),
    () => undefined,
  );
  return turn;
}

type BelievedPage = Fetched & { readonly got: Extract<FeedPageOutcome, { kind: 'page' }> };

/** Not one more page of a round in a circle is believed. */
function isBelieved(fetched: Fetched | undefined): fetched is BelievedPage {
  return fetched?.got.kind === 'page' && !fetched.circles;
}

/** The pages whose turn it is: waits for one, and takes those after it that have arrived. None: what comes next is no page. */
async function takePages(turns: Turn[]): Promise<readonly BelievedPage[]> {
  const pages: BelievedPage[] = [];
  do {
    const fetched = await turns[0]?.fetched;
    if (!isBelieved(fetched)) break;
    pages.push(fetched);
    turns.shift();
  } while (turns[0]?.hasArrived);
  return pages;
}

async function writePages(
  deps: Deps,
  slice: Slice,
  { fence }: OpenFeed,
  fetched: readonly BelievedPage[],
): Promise<FeedEnd | undefined> {
  const pages = fetched.map(({ got: { page, skipped } }) => ({ ...page, skipped }));
  const written = await deps.store.sync.applyPages(fence, pages);
  if (written === 'superseded') return { end: 'superseded' };
  for (const { skipped } of pages) {
    if (Object.keys(skipped).length > 0) {
      deps.log.warn({ tenantNo: slice.tenantNo, feed: fence.feed, skipped }, 'Parts of a page were left out');
    }
  }
  slice.wrote(written.changes, pages.length);
  slice.known.inPart ||= written.partial ?? false;
  if (written.faulty) return { end: 'faulty' };
  return pages.at(-1)?.nextLink === undefined ? { end: 'done' } : undefined;
}

/** Why there is no page to write. */
function endAt(deps: Deps, slice: Slice, fetched: Fetched | undefined): FeedEnd | Promise<FeedEnd> {
  if (!fetched) return { end: 'unfinished' };
  return fetched.got.kind === 'page' ? { end: 'faulty' } : endOf(deps, slice, fetched.link, fetched.got);
}

/** One page, with the short waits and quick retries that are a slice's own business. */
export async function fetchPage(
  deps: Deps,
  slice: Slice,
  wanted: Pick<FeedPageRequest, 'feed' | 'link' | 'fromDelta' | 'ids'>,
  signal: AbortSignal,
): Promise<FeedPageOutcome> {
  const { accessToken, priority } = slice;
  const chosen = slice.chosen[wanted.feed];
  slice.pages.left--;
  for (let retries = 0; ;) {
    const early = slice.limits.pace.readyAt - deps.clock.now();
    if (early > 0) {
      if (deps.clock.now() + early >= slice.fetchUntil) return { kind: 'throttled', retryAfterMs: early };
      slice.beat();
      await deps.clock.sleep(early, signal);
    }
    slice.beat();
    const urgency = priority === undefined ? {} : { priority };
    const answer = await deps.graph.feedPage({ ...wanted, ...urgency, chosen, accessToken, signal });
    const got = isWait(answer) ? await heed(deps, slice, answer) : answer;
    if (got.kind === 'page') await keepToLimits(deps, slice, got.load);
    const wait = shortWait(slice, got, retries);
    if (wait === undefined || deps.clock.now() + wait >= slice.fetchUntil) return got;
    if ('retryAfterMs' in got) slice.kept.waits++;
    else retries++;
    slice.beat();
    await deps.clock.sleep(wait, signal);
  }
}

/** Slows the slice down the nearer the limits are, and tells other workers where they must know. */
async function keepToLimits({ store, clock }: Deps, { tenantNo, limits }: Slice, load: Load): Promise<void> {
  limits.pace = paceAfter(limits.pace, load, clock.now());
  if (isNearLimit(load)) await store.sync.throttle(tenantNo, new Date(limits.pace.readyAt));
}

type Wait = Extract<GraphFailure, { kind: 'throttled' | 'unavailable' }>;

const isWait = (got: FeedPageOutcome): got is Wait => got.kind === 'throttled' || got.kind === 'unavailable';

/** Holds the whole slice for as long as Microsoft asks, or for long where it does not say; and all workers where its limits ask. */
async function heed({ store, clock, patience }: Deps, { tenantNo, limits }: Slice, wait: Wait): Promise<Wait> {
  const retryAfterMs =
    wait.kind === 'throttled'
      ? // Asking again at once would count as usage and prolong it (5.1).
        (wait.retryAfterMs ?? patience.next(`throttled/${tenantNo}`, FIRST_UNSTATED_WAIT_MS, LONGEST_UNSTATED_WAIT_MS))
      : wait.retryAfterMs;
  if (retryAfterMs === undefined) return wait;
  const now = clock.now();
  limits.pace = paceHeld(limits.pace, retryAfterMs, now);
  if (wait.kind === 'throttled' || wait.busy) {
    const scope = wait.kind === 'throttled' && wait.scope === 'application' ? 'application' : tenantNo;
    await store.sync.throttle(scope, new Date(now + Math.min(retryAfterMs, LONGEST_STORED_WAIT_MS)));
  }
  return { ...wait, retryAfterMs };
}

/** How long to wait here before the same request is made again; undefined where that is not for the slice to do. */
function shortWait(slice: Slice, got: FeedPageOutcome, retries: number): number | undefined {
  if (got.kind !== 'throttled' && got.kind !== 'unavailable') return undefined;
  if (got.retryAfterMs !== undefined) {
    const short = got.retryAfterMs <= LONGEST_WAIT_INSIDE_MS && slice.kept.waits < WAITS_INSIDE;
    return short ? got.retryAfterMs : undefined;
  }
  return got.kind === 'unavailable' ? QUICK_RETRIES_MS[retries] : undefined;
}

export async function endOf(
  deps: Deps,
  slice: Slice,
  link: string | undefined,
  got: Exclude<FeedPageOutcome, { kind: 'page' }>,
): Promise<FeedEnd> {
  const failure = isWait(got) ? await heed(deps, slice, got) : got;
  const quoted =
    'requestId' in failure && failure.requestId !== undefined ? { requestId: failure.requestId } : undefined;
  switch (failure.kind) {
    case 'throttled':
    case 'unavailable':
      return failure.retryAfterMs === undefined
        ? { end: 'unavailable', ...quoted }
        : { end: 'throttled', retryAfterMs: failure.retryAfterMs };
    case 'token_rejected':
      return { end: 'token_needed' };
    case 'forbidden':
      return { end: 'forbidden', ...(failure.code === undefined ? {} : { code: failure.code }), ...quoted };
    case 'delta_expired':
      return { end: 'expired', atStart: link === undefined };
    case 'not_found':
      return { end: 'refused', code: 'NotFound', ...quoted };
    case 'refused':
      return { end: 'refused', code: failure.code, ...quoted };
  }
}
