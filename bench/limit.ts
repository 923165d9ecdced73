/**
 * The limit: both feeds fetched side by side with Node's own HTTP client, each page parsed, and its rows COPYed into the
 * product's own columns and primary keys, all of it overlapped. With nowhere to copy to it only fetches.
 */
import { copyIntoPglite, copyIntoPostgres, type CopyTarget } from './copy-into.ts';
import { rowsOf, TABLES, type DeltaBody } from './copy-rows.ts';
import { ownCpuMs } from './cpu-time.ts';
import { FEEDS, followFeed, openSource } from './delta-pages.ts';
import { readTask, tellResult, type Task } from './task.ts';

function openTarget(into: NonNullable<Task['into']>): Promise<CopyTarget> {
  return 'postgres' in into ? copyIntoPostgres(into.postgres) : copyIntoPglite(into.pglite);
}

function readParsed(text: string) {
  const page = JSON.parse(text) as DeltaBody;
  return { page, nextLink: page['@odata.nextLink'] };
}

/** The link stands before the objects, so that nothing need be parsed to find it. */
function readLink(text: string) {
  return { page: undefined, nextLink: /"@odata\.nextLink":"([^"]+)"/.exec(text.slice(0, 10_000))?.[1] };
}

const { source, into } = readTask();
const target = into && (await openTarget(into));
const cpu = ownCpuMs();
const start = performance.now();
const fetchPage = openSource(source);
const followed = await Promise.all(
  FEEDS.map((feed) => {
    if (!target) return followFeed(fetchPage, feed, readLink, async () => undefined);
    const seen = new Set<string>();
    return followFeed(fetchPage, feed, readParsed, async (page) => {
      for (const [table, text] of rowsOf(feed, page, seen)) if (text !== '') await target.copy(table, text);
    });
  }),
);
await target?.commit();
const ms = performance.now() - start;
const cpuMs = ownCpuMs() - cpu;
let rows: number | null = null;
if (target) {
  rows = 0;
  for (const table of TABLES) rows += await target.count(table);
  await target.close();
}
tellResult({ ms, cpuMs, pages: followed.reduce((sum, pages) => sum + pages, 0), rows });
