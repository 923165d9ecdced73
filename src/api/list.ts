import type { Page } from '../store/face/tenants.ts';
import type { ApiDeps } from './deps.ts';
import { json, problem, type Reply } from './reply.ts';
import type { Caller } from './route.ts';
import { MAX_LIMIT } from './schemas/paging.ts';

const CURSOR_HEADER = 'Entra-Sync-Cursor';

export interface Listing<Row, Json> {
  readonly read: (after: string | undefined, limit: number) => Promise<Page<Row>>;
  readonly toJson: (row: Row) => Json;
  /** What the keys of this list look like: anything else is no cursor of it, and must not reach the database. */
  readonly keys: RegExp;
}

interface ListRequest {
  readonly query: { readonly limit: number; readonly cursor?: string | undefined };
  readonly caller: Caller;
}

/** One page, or all rows as lines where the client asks for them. */
export async function list<Row, Json>(
  { query, caller }: ListRequest,
  { store }: Pick<ApiDeps, 'store'>,
  listing: Listing<Row, Json>,
): Promise<Reply<{ data: Json[]; nextCursor: string | null }>> {
  if (caller.wantsLines) {
    if (query.cursor !== undefined) return problem('invalid-cursor', 'A stream has no pages: leave the cursor out.');
    // Read before the first row: whatever changes while rows are read comes again as an event after this cursor.
    const head = await store.feed.head();
    return { is: 'lines', rows: allRows(listing), headers: { [CURSOR_HEADER]: head } };
  }
  const after = query.cursor === undefined ? undefined : keyOf(query.cursor);
  if (after !== undefined && !listing.keys.test(after)) return problem('invalid-cursor');
  const page = await listing.read(after, query.limit);
  return json(200, {
    data: page.data.map((row) => listing.toJson(row)),
    nextCursor: page.next === null ? null : Buffer.from(page.next).toString('base64url'),
  });
}

const keyOf = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('utf8');

async function* allRows<Row, Json>({ read, toJson }: Listing<Row, Json>): AsyncGenerator<Json[]> {
  let after: string | undefined;
  do {
    const page = await read(after, MAX_LIMIT);
    yield page.data.map((row) => toJson(row));
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** How a list is told of in the OpenAPI document. */
export const LIST_HEADERS = {
  [CURSOR_HEADER]: 'Of a stream: read first. The list plus the events after this cursor is the truth.',
} as const;
