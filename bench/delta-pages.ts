import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { GROUP_ATTRIBUTES, USER_ATTRIBUTES } from '../src/domain/directory.ts';

export interface Source {
  readonly origin: string;
  readonly caFile: string;
  readonly token: string;
}

/** The queries that the product makes. */
const INITIAL = {
  users: `/v1.0/users/delta?$select=${['id', ...USER_ATTRIBUTES].join(',')}`,
  groups: `/v1.0/groups/delta?$select=${['id', ...GROUP_ATTRIBUTES, 'members'].join(',')}`,
} as const;

export type FeedName = keyof typeof INITIAL;
export const FEEDS: readonly FeedName[] = ['users', 'groups'];

/** GETs a link as text: nothing but Node's own client on connections that stay open. */
export function openSource({ origin, caFile, token }: Source): (link: string) => Promise<string> {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(caFile) });
  const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json' };
  return (link) =>
    new Promise((resolve, reject) => {
      const request = get(new URL(link, origin), { agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${response.statusCode}: ${text.slice(0, 500)}`));
        });
      });
      request.once('error', reject);
    });
}

/** Follows a feed from its start to its deltaLink; a page is taken while the next one is fetched. */
export async function followFeed<Page>(
  fetchPage: (link: string) => Promise<string>,
  feed: FeedName,
  read: (text: string) => { readonly page: Page; readonly nextLink: string | undefined },
  take: (page: Page) => Promise<void>,
): Promise<number> {
  let inFlight = fetchPage(INITIAL[feed]);
  for (let pages = 1; ; pages++) {
    const { page, nextLink } = read(await inFlight);
    if (nextLink !== undefined) {
      inFlight = fetchPage(nextLink);
      // Awaited at the loop's head; until then a failure must not count as unhandled.
      inFlight.catch(() => undefined);
    }
    await take(page);
    if (nextLink === undefined) return pages;
  }
}
