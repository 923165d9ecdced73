import { createHash } from 'node:crypto';
import type { DeltaPage, Feed } from '../domain/directory.ts';
import { CONTRACT_ATTRIBUTES } from '../domain/selectable.ts';
import type { Load } from '../domain/throttle.ts';
import { isOfOrigin, type GraphClient, type Priority } from './client.ts';
import { parseDeltaItems, type Skipped } from './delta-item.ts';
import type { Asked, GraphFailure } from './failures.ts';
import { textOf, type Json } from './json.ts';

export interface FeedPageRequest {
  readonly feed: Feed;
  /** A link of an earlier page, called as it is; undefined for the initial query. */
  readonly link: string | undefined;
  /**
   * Of the initial query: these objects alone, whole as the feed sees them now, and no newer or older than its other pages.
   * At most `PICKED_AT_ONCE` (4.2); those that do not exist, or are deleted, are not mentioned (4.2).
   */
  readonly ids?: readonly string[];
  /** Whether `link` is a deltaLink: some answers mean "expired" only then (4.5). */
  readonly fromDelta: boolean;
  /** Attributes of the tenant's own choice, beside the contract's: a link remembers those of its initial query. */
  readonly chosen?: readonly string[];
  readonly priority?: Priority;
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

export type FeedPageOutcome =
  | {
      readonly kind: 'page';
      readonly page: DeltaPage;
      /** What of the page was left out, by reason: for the log, never a reason to stop. */
      readonly skipped: Skipped;
      readonly load: Load;
    }
  | GraphFailure;

/**
 * Explicit, because accountEnabled and userType are in no default set (4.2), and because only what is selected is tracked.
 * Asking for `members` is what brings `members@delta` (4.3).
 */
function initialQuery(feed: Feed, chosen: readonly string[] = []): string {
  const select = ['id', ...CONTRACT_ATTRIBUTES[feed], ...chosen, ...(feed === 'groups' ? ['members'] : [])];
  return `/${feed}/delta?$select=${select.join(',')}`;
}

/** A link remembers its query, so links of another query must not be followed: their hash says which they belong to. */
export const QUERY_HASH: Readonly<Record<Feed, string>> = {
  users: sha256(initialQuery('users')),
  groups: sha256(initialQuery('groups')),
};

export async function fetchFeedPage(
  client: GraphClient,
  origin: string,
  request: FeedPageRequest,
): Promise<FeedPageOutcome> {
  const { feed, link, ids, fromDelta, chosen, priority, accessToken, signal } = request;
  const asked: Asked = link === undefined ? 'initial' : fromDelta ? 'deltaLink' : 'nextLink';
  const path = link ?? initialQuery(feed, chosen) + (ids ? `&$filter=${encodeURIComponent(idFilter(ids))}` : '');
  const reply = await client.get(path, {
    accessToken,
    asked,
    ...(priority === undefined ? {} : { priority }),
    ...(signal ? { signal } : {}),
  });
  return reply.kind === 'ok' ? readPage(reply, feed, origin, chosen) : reply;
}

function readPage(
  { body, load }: { readonly body: Json; readonly load: Load },
  feed: Feed,
  origin: string,
  chosen: readonly string[] | undefined,
): FeedPageOutcome {
  const value = body['value'];
  const nextLink = textOf(body['@odata.nextLink']);
  const deltaLink = textOf(body['@odata.deltaLink']);
  const link = nextLink ?? deltaLink;
  // A page has one link, never both and never none (4.1): anything else is not a whole answer of Graph.
  if (!Array.isArray(value) || link === undefined || (nextLink !== undefined && deltaLink !== undefined)) {
    return { kind: 'unavailable' };
  }
  // Followed later with our token attached, so a link to elsewhere must not even be stored.
  if (!isOfOrigin(link, origin)) return { kind: 'refused', code: 'LinkToAnotherOrigin' };
  const { items, skipped } = parseDeltaItems(value, feed, chosen);
  return {
    kind: 'page',
    page: { items, ...(nextLink === undefined ? { deltaLink: link } : { nextLink }) },
    skipped,
    load,
  };
}

function idFilter(ids: readonly string[]): string {
  return ids.map((id) => `id eq '${id}'`).join(' or ');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
