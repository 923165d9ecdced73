import type { DirectoryRecord } from '../directory/directory-record.ts';
import type { ObjectRef } from '../directory/object-ref.ts';
import { badRequest, unsupportedQuery } from './graph-error.ts';
import { parseFilter, type Filter } from './filter.ts';
import { contextUrl, isEventual, type GraphAnswer, type GraphRequest } from './graph-request.ts';
import type { Rendered } from './render.ts';
import { parseSelect, refuseOutsideDirectory, type Selection } from './select.ts';
import { z } from 'zod';

/** A list of directory objects that can be paged through. */
export interface Listing {
  /** What `@odata.context` calls the list. */
  readonly set: string;
  /** Types whose properties may be selected. */
  readonly types: readonly string[];
  /** The type that `$filter` speaks of; undefined where no filter is supported. */
  readonly filterType: string | undefined;
  /** Objects from a place on, with the place after each. */
  readonly items: (from: number) => Iterable<{ readonly ref: ObjectRef; readonly next: number }>;
  readonly render: (ref: ObjectRef, selection: Selection | undefined) => Rendered;
}

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 999;

const skipToken = z.object({
  list: z.string(),
  tenant: z.string(),
  from: z.number(),
  top: z.number().optional(),
  select: z.string().optional(),
  filter: z.string().optional(),
  count: z.string().optional(),
});

interface ListQuery {
  readonly top: number | undefined;
  readonly select: string | undefined;
  readonly filter: string | undefined;
  readonly count: string | undefined;
  readonly from: number;
}

/** Answers one page of a list, with an opaque absolute link to the next. */
export function listPage(request: GraphRequest, listing: Listing): GraphAnswer {
  const query = readQuery(request);
  const selection = parseSelect(query.select, listing.types);
  refuseOutsideDirectory(selection);
  const filter = readFilter(request, listing, query);
  const size = query.top ?? DEFAULT_PAGE;
  const value: Rendered[] = [];
  let next: number | undefined;
  let after = query.from;
  for (const item of matching(request, listing, filter, query.from)) {
    if (value.length === size) {
      next = after;
      break;
    }
    value.push(listing.render(item.ref, selection));
    after = item.next;
  }
  const count = countOf(request, listing, filter, query);
  const body = {
    '@odata.context': contextUrl(request, listing.set, selection?.properties),
    ...(count === undefined ? {} : { '@odata.count': count }),
    ...(next === undefined ? {} : { '@odata.nextLink': nextLink(request, query, next) }),
    value,
  };
  return { body: JSON.stringify(body) };
}

/** `/$count`: a bare number, behind a byte order mark as Graph sends it. */
export function listCount(request: GraphRequest, listing: Listing): GraphAnswer {
  if (!isEventual(request)) {
    throw badRequest('$count is not currently supported.', 'Request_BadRequest');
  }
  const query = { top: undefined, select: undefined, from: 0, filter: request.options.get('$filter'), count: 'true' };
  const filter = readFilter(request, listing, query);
  let count = 0;
  for (const _ of matching(request, listing, filter, 0)) count += 1;
  return { body: `\uFEFF${count}`, contentType: 'text/plain' };
}

function readQuery(request: GraphRequest): ListQuery {
  const { options } = request;
  const token = options.get('$skiptoken');
  if (token !== undefined) {
    // The token remembers the whole query: a link made of nothing else resumes as well.
    const parsed = skipToken.safeParse(request.world.sealer.open(token));
    const known = parsed.success && parsed.data.list === request.http.path && parsed.data.tenant === request.tenant.id;
    if (!known)
      throw badRequest('The specified page token value has expired or is invalid.', 'Directory_ExpiredPageToken');
    const { top, select, filter, count, from } = parsed.data;
    return { top, select, filter, count, from };
  }
  if (options.has('$skip')) throw badRequest("The query option '$skip' is not supported.", 'Request_BadRequest');
  for (const option of ['$orderby', '$search', '$expand']) {
    if (options.has(option)) throw unsupportedQuery(`The query option '${option}' is not supported by this emulator.`);
  }
  return {
    top: readTop(options.get('$top')),
    select: options.get('$select'),
    filter: options.get('$filter'),
    count: options.get('$count'),
    from: 0,
  };
}

function readTop(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const top = Number(text);
  if (!/^\d+$/.test(text) || top < 1 || top > LARGEST_PAGE) {
    throw badRequest(
      `Invalid page size specified: '${text}'. Must be between 1 and ${LARGEST_PAGE} inclusive.`,
      'Request_BadRequest',
    );
  }
  return top;
}

function readFilter(request: GraphRequest, listing: Listing, query: ListQuery): Filter | undefined {
  if (query.count?.toLowerCase() === 'true' && !isEventual(request)) {
    throw unsupportedQuery(
      "Request with $count query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
    );
  }
  if (query.filter === undefined) return undefined;
  if (listing.filterType === undefined) throw unsupportedQuery('The query option $filter is not supported here.');
  const filter = parseFilter(query.filter, listing.filterType);
  if (filter.advanced && !(isEventual(request) && query.count?.toLowerCase() === 'true')) {
    throw unsupportedQuery(
      'Operator is not supported because the required parameters might be missing. Try adding the $count=true query parameter and ConsistencyLevel:eventual header.',
    );
  }
  return filter;
}

function* matching(
  request: GraphRequest,
  listing: Listing,
  filter: Filter | undefined,
  from: number,
): Generator<{ readonly ref: ObjectRef; readonly next: number }> {
  for (const item of listing.items(from)) {
    const record: DirectoryRecord | undefined = filter === undefined ? undefined : request.view.record(item.ref);
    if (filter === undefined || (record !== undefined && filter.matches(record))) yield item;
  }
}

function countOf(
  request: GraphRequest,
  listing: Listing,
  filter: Filter | undefined,
  query: ListQuery,
): number | undefined {
  if (query.count?.toLowerCase() !== 'true' || query.from > 0) return undefined;
  let count = 0;
  for (const _ of matching(request, listing, filter, 0)) count += 1;
  return count;
}

function nextLink(request: GraphRequest, query: ListQuery, from: number): string {
  const { world, tenant, http } = request;
  const token = world.sealer.seal({ list: http.path, tenant: tenant.id, ...query, from });
  const options = [...http.query].filter(([name]) => name.toLowerCase() !== '$skiptoken');
  const kept = options.map(([name, value]) => `${name}=${encodeURIComponent(value)}&`).join('');
  return `${http.origin}${http.path}?${kept}$skiptoken=${token}`;
}
