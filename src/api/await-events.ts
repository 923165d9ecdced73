import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedStore } from '../store/face/feed.ts';

const LOOK_EVERY_MS = 250;

/** Reads the feed, and where it has nothing looks again until it has, the time is up, or the client is gone. */
export async function awaitEvents(
  feed: Pick<FeedStore, 'read'>,
  wish: {
    readonly after: string | undefined;
    readonly limit: number;
    readonly tenantNo: number | undefined;
    readonly waitMs: number;
    readonly gone: AbortSignal;
  },
): ReturnType<FeedStore['read']> {
  const deadline = Date.now() + wish.waitMs;
  let after = wish.after;
  for (;;) {
    const read = await feed.read(after, wish.limit, wish.tenantNo);
    if (read === 'expired' || read.events.length > 0) return read;
    const left = deadline - Date.now();
    if (left <= 0 || wish.gone.aborted) return read;
    // Of one tenant's events the cursor moves past those of others, which need not be passed again.
    after = read.cursor;
    await sleep(Math.min(left, LOOK_EVERY_MS), undefined, { signal: wish.gone }).catch(() => undefined);
  }
}
