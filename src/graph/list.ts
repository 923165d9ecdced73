import { isOfOrigin, type GraphClient } from './client.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf, type Json } from './json.ts';

export interface ListRequest {
  readonly accessToken: string;
  /** Told before each page: a list may have hundreds. */
  readonly beat?: () => void;
  readonly signal?: AbortSignal;
}

/** Reads a list to its end, entry by entry: `@odata.nextLink` is followed as it comes (3.2). */
export async function readList(
  client: GraphClient,
  origin: string,
  { accessToken, beat, signal }: ListRequest,
  path: string,
  found: (entry: Json) => void,
): Promise<{ readonly kind: 'listed' } | GraphFailure> {
  const seen = new Set<string>();
  for (let link: string | undefined = path; link !== undefined;) {
    // A list that leads in a circle has no end, and is no answer.
    if (seen.has(link)) return { kind: 'unavailable' };
    seen.add(link);
    beat?.();
    const reply = await client.get(link, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
    if (reply.kind !== 'ok') return reply;
    const value = reply.body['value'];
    if (!Array.isArray(value)) return { kind: 'unavailable' };
    for (const entry of value as readonly unknown[]) if (isObject(entry)) found(entry);
    link = textOf(reply.body['@odata.nextLink']);
    if (link !== undefined && !isOfOrigin(link, origin)) return { kind: 'refused', code: 'LinkToAnotherOrigin' };
  }
  return { kind: 'listed' };
}
