import type { Feed } from '../domain/directory.ts';
import type { GraphClient } from './client.ts';
import type { GraphFailure } from './failures.ts';

export interface CountRequest {
  readonly feed: Feed;
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

/** How many there are, soft-deleted ones not counted; a count lags behind (3.3). */
export async function countObjects(
  client: GraphClient,
  { feed, ...request }: CountRequest,
): Promise<{ readonly kind: 'counted'; readonly count: number } | GraphFailure> {
  const reply = await client.get(`/${feed}/$count`, { ...request, asked: 'entity', eventual: true });
  if (reply.kind !== 'ok') return reply;
  const { count } = reply.body;
  return typeof count === 'number' ? { kind: 'counted', count } : { kind: 'unavailable' };
}
