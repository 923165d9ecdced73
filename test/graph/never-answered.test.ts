import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Graph } from '../../src/graph/graph.ts';
import { never, scriptedFetch } from './scripted-fetch.ts';

const TENANT = '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55';
const { signal } = new AbortController();

let silent: Graph;
let collecting: NodeJS.Timeout;
beforeAll(async () => {
  // As in a worker that has run for a while: code is optimized, holds nothing that it needs no more, and garbage is collected.
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--always-turbofan');
  const { createGraph } = await import('../../src/graph/graph.ts');
  const { fetch } = scriptedFetch((request) => never(request.signal));
  silent = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch });
  collecting = setInterval(runInNewContext('gc') as () => void, 100);
});
afterAll(() => {
  clearInterval(collecting);
  setFlagsFromString('--no-always-turbofan');
});

it('gives up what Microsoft never answers', async () => {
  const asked = await Promise.all([
    silent.feedPage({ feed: 'users', link: undefined, fromDelta: false, accessToken: 't', signal }),
    silent.tokenFor(TENANT, signal),
    silent.resolveDirectory('contoso.com', signal),
    silent.finishProof({
      entraTenant: TENANT,
      callbackUrl: '/signin/callback?code=c&state=s',
      redirectUri: 'https://sync.example.com/signin/callback',
      state: 's',
      verifier: 'v'.repeat(43),
      nonce: 'n',
      signal,
    }),
  ]);
  expect(asked).toMatchObject([
    { kind: 'unavailable' },
    { failure: 'TokenEndpointUnavailable' },
    { kind: 'unavailable' },
    { proven: false, reason: 'unavailable' },
  ]);
});
