import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Intent } from '../store/face/intents.ts';
import type { Store } from '../store/store.ts';
import type { Graph } from '../graph/graph.ts';
import type { Sealer } from '../crypto/sealer.ts';

export interface ApiConfig {
  /** Where the API is reached from outside, without a slash at its end. */
  readonly publicUrl: string;
  readonly apiKey: string;
  readonly clientId: string;
  readonly production: boolean;
  readonly syncIntervalMs: number;
}

export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** All that the API needs from outside; it opens nothing by itself. */
export interface ApiDeps {
  readonly store: Store;
  readonly graph: Pick<
    Graph,
    | 'adminConsentUrl'
    | 'resolveDirectory'
    | 'beginProof'
    | 'finishProof'
    | 'endSessionUrl'
    | 'assignment'
    | 'organization'
    | 'tokenFor'
    | 'lookAtHosts'
    | 'lookAtCredentials'
    | 'inspect'
    | 'findGroups'
    | 'assigned'
    | 'feedPage'
  >;
  readonly sealer: Sealer;
  /** Tells the workflow of an intent that is committed already. Never rejects; a sweeper repeats what did not arrive. */
  readonly deliver: (intent: Intent, tenantId: string) => Promise<void>;
  /** Tells the workflow that its directory has news. Never rejects; what is lost, the interval brings. */
  readonly hint: (tenantNo: number, tenantId: string) => Promise<void>;
  readonly log: Logger;
  /** Where the process keeps its metrics; the API adds its own and shows all. */
  readonly registry: Registry;
  readonly config: ApiConfig;
  readonly ready: () => Promise<Readiness>;
}
