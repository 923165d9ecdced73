import { readFile } from 'node:fs/promises';
import { Agent, fetch as undiciFetch } from 'undici';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import { createGraph, type Graph, type GraphConfig } from '../../src/graph/graph.ts';
import { CLIENT_ID, CLIENT_SECRET, startTestEmulator, type TestEmulator } from '../emulator/test-emulator.ts';

export interface EmulatedGraph {
  readonly emulator: TestEmulator;
  /** Trusts the emulator's certificate authority, as NODE_EXTRA_CA_CERTS makes a process do. */
  readonly fetch: typeof fetch;
  graph(change?: Partial<GraphConfig>): Graph;
  close(): Promise<void>;
}

/** Trusts whatever the agent trusts. */
function fetchBy(agent: Agent): typeof fetch {
  const trusting: unknown = (url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent });
  return trusting as typeof fetch;
}

/** The product's way to an emulator. */
export const graphTo = (
  { httpsUrl }: { readonly httpsUrl: string },
  agent: Agent,
  change: Partial<GraphConfig> = {},
): Graph =>
  createGraph({
    clientId: CLIENT_ID,
    credential: { kind: 'secret', secret: CLIENT_SECRET },
    cloud: 'global',
    authorityHost: httpsUrl,
    graphBaseUrl: httpsUrl,
    fetch: fetchBy(agent),
    ...change,
  });

/** The product's Microsoft room against the emulator, over HTTPS, in this process. */
export async function startEmulatedGraph(options: EmulatorOptions = {}): Promise<EmulatedGraph> {
  const emulator = await startTestEmulator(options);
  const agent = new Agent({ connect: { ca: await readFile(emulator.caFile) } });
  return {
    emulator,
    fetch: fetchBy(agent),
    graph: (change) => graphTo(emulator, agent, change),
    async close() {
      await agent.close();
      await emulator.close();
    },
  };
}
