import { Registry } from 'prom-client';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createApi } from '../../../src/api/app.ts';
import type { ApiConfig, ApiDeps } from '../../../src/api/deps.ts';
import { createSealer } from '../../../src/crypto/sealer.ts';
import { parseEncryptionKeys } from '../../../src/crypto/encryption-keys.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Intent } from '../../../src/store/face/intents.ts';
import type { Store } from '../../../src/store/store.ts';
import { Declared, type OpenApi } from './declared.ts';
import { FakeGraph } from './fake-graph.ts';

export const API_KEY = 'the-key-of-the-tests';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of the shape, the schema checks it
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly raw?: string;
  readonly headers?: Record<string, string>;
  readonly key?: string | null;
}

export interface ApiUnderTest {
  readonly base: string;
  readonly store: Store;
  readonly graph: FakeGraph;
  readonly deps: ApiDeps;
  readonly declared: Declared;
  readonly delivered: readonly (Intent & { tenantId: string })[];
  /** Workflows that were told of news. */
  readonly hinted: readonly { readonly tenantNo: number; readonly tenantId: string }[];
  /** Every line that was logged, as text. */
  readonly logged: readonly string[];
  /** One request; its answer is held against the OpenAPI document. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

/** The API with the real store on the embedded database, listening on loopback. */
export async function startApi(
  change: {
    readonly config?: Partial<ApiConfig>;
    readonly wrapStore?: (store: Store) => Store;
    readonly ready?: ApiDeps['ready'];
    /** Origin of Microsoft's login host. */
    readonly login?: string;
    /** In place of the fake one. */
    readonly microsoft?: ApiDeps['graph'];
  } = {},
): Promise<ApiUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), 'entra-sync-api-'));
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const store = await openStore({ dataDir, log });
  const graph = new FakeGraph(change.login);
  const delivered: (Intent & { tenantId: string })[] = [];
  const hinted: { tenantNo: number; tenantId: string }[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const deps: ApiDeps = {
    store: change.wrapStore?.(store) ?? store,
    graph: change.microsoft ?? graph,
    sealer: createSealer(parseEncryptionKeys(`test:${Buffer.alloc(32, 7).toString('base64')}`)),
    hint: async (tenantNo, tenantId) => void hinted.push({ tenantNo, tenantId }),
    deliver: async (intent, tenantId) => void delivered.push({ ...intent, tenantId }),
    registry: new Registry(),
    log,
    config: {
      publicUrl: base,
      apiKey: API_KEY,
      clientId: '6731de76-14a6-49ae-97bc-6eba6914391e',
      production: false,
      syncIntervalMs: 300_000,
      ...change.config,
    },
    ready: change.ready ?? (async () => ({ ok: true, checks: { database: 'ok' } })),
  };
  server.on('request', createApi(deps));
  const declared = new Declared((await (await fetch(`${base}/openapi.json`)).json()) as OpenApi);

  return {
    base,
    store,
    graph,
    deps,
    declared,
    delivered,
    hinted,
    logged,
    async call(method, path, { body, raw, headers = {}, key = API_KEY } = {}) {
      const response = await fetch(`${base}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
          ...(body === undefined && raw === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(raw !== undefined ? { body: raw } : body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const type = response.headers.get('content-type');
      declared.check(method, new URL(path, base).pathname, { status: response.status, type, text });
      const isJson = /^application\/(problem\+)?json/.test(type ?? '');
      return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
