import { describe, expect, it } from '@jest/globals';
import { createGraphClient } from '../../src/graph/client.ts';
import { json, never, scriptedFetch, type Script } from './scripted-fetch.ts';

function clientOf(script: Script, origin = 'https://localhost:9443') {
  const { fetch, seen } = scriptedFetch(script);
  return { client: createGraphClient({ origin, fetch }), seen };
}
const ask = { accessToken: 'T0KEN', asked: 'entity' } as const;

describe('the client', () => {
  it('sends the token to a configured host with a port, and asks once', async () => {
    const { client, seen } = clientOf(() => json({}, 503));
    expect(await client.get('/users', ask)).toEqual({ kind: 'unavailable', busy: true });
    expect(seen.map(({ url, headers }) => [url, headers.get('authorization')])).toEqual([
      ['https://localhost:9443/v1.0/users', 'Bearer T0KEN'],
    ]);
  });

  it('follows no redirect', async () => {
    const { client, seen } = clientOf(
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example/' } }),
    );
    expect(await client.get('/users', ask)).toMatchObject({ kind: 'unavailable' });
    expect(seen).toHaveLength(1);
  });

  it('ends with the reason of the caller who aborts, before, while waiting and while reading', async () => {
    const reason = new Error('worker shutdown');
    const early = clientOf(() => json({}));
    await expect(early.client.get('/users', { ...ask, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(early.seen).toEqual([]);

    const hanging: Script[] = [
      ({ signal }) => never(signal),
      ({ signal }) =>
        new Response(
          new ReadableStream({
            start: (controller) => signal?.addEventListener('abort', () => controller.error(signal.reason)),
          }),
        ),
    ];
    for (const script of hanging) {
      const stop = new AbortController();
      const asked = clientOf(script).client.get('/users', { ...ask, signal: stop.signal });
      setTimeout(() => stop.abort(reason), 10);
      await expect(asked).rejects.toBe(reason);
    }
  });

  it('does not take a bug for an outage', async () => {
    const { client } = clientOf(() => ({ ok: true }) as Response);
    await expect(client.get('/users', ask)).rejects.toThrow();
  });
});
