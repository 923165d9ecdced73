import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { reasonOf } from './log.ts';

/** How an existing Temporal is reached. */
export interface TemporalSettings {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string | undefined;
  readonly tls?: ConnectionOptions['tls'];
}

type Environment = Readonly<Record<string, string | undefined>>;

const PAIRED = ['TEMPORAL_TLS_CLIENT_CERT', 'TEMPORAL_TLS_CLIENT_KEY'] as const;

/**
 * Reads `TEMPORAL_API_KEY` and the `TEMPORAL_TLS_*` names that Temporal documents for all its clients and its CLI;
 * what is wrong is added to `faults`. Temporal's configuration file is left alone: an address must not come from a
 * place that nobody mentioned.
 */
export function readTemporalSecurity(env: Environment, faults: string[]): Pick<TemporalSettings, 'apiKey' | 'tls'> {
  const [certificate, key] = PAIRED.map((name) => env[`${name}_PATH`] ?? env[`${name}_DATA`]);
  if (Boolean(certificate) !== Boolean(key)) {
    faults.push(
      `${PAIRED[0]}_PATH and ${PAIRED[1]}_PATH (or _DATA) must be set together: a client certificate needs its key`,
    );
  }
  if (env['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION']) {
    faults.push(
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is not supported: set TEMPORAL_TLS_SERVER_CA_CERT_PATH or TEMPORAL_TLS_SERVER_NAME instead',
    );
  }
  try {
    const profile = loadClientConfigProfile({ disableFile: true, overrideEnvVars: onlySet(env) });
    const { apiKey, tls } = toClientOptions(profile).connectionOptions;
    return { ...(typeof apiKey === 'string' ? { apiKey } : {}), ...(tls === undefined ? {} : { tls }) };
  } catch (error) {
    faults.push(`TEMPORAL_TLS_* name a file that cannot be read: ${reasonOf(error)}`);
    return {};
  }
}

/** An empty variable means unset, as everywhere else here. */
function onlySet(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[0].startsWith('TEMPORAL_') && !!entry[1]),
  );
}
