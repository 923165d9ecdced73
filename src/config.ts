import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import ms, { type StringValue } from 'ms';
import { z } from 'zod';
import type { Cloud } from './graph/cloud.ts';
import type { Credential } from './graph/credential.ts';
import { readTemporalSecurity, type TemporalSettings } from './temporal/settings.ts';

/** The one reader of the environment. Every fault is listed at once, with what to set. */

export interface Config {
  readonly production: boolean;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly temporal: TemporalConfig;
  readonly entra: EntraConfig;
  readonly publicUrl: string;
  readonly port: number;
  /** Undefined outside production when not set: then one is made and kept under `dataDir`. */
  readonly apiKey: string | undefined;
  readonly encryptionKeys: string | undefined;
  readonly syncIntervalMs: number;
  /** Where Microsoft reaches us with change notifications, without a slash at its end; undefined: by polling alone. */
  readonly notificationUrl: string | undefined;
  readonly logLevel: string;
}

export interface TemporalConfig {
  /** Undefined: a dev server of our own. */
  readonly address: string | undefined;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly security: Pick<TemporalSettings, 'apiKey' | 'tls'>;
}

export interface EntraConfig {
  readonly clientId: string;
  readonly credential: Credential;
  /** While the first is being replaced: tried where Microsoft refuses it. */
  readonly nextCredential: Credential | undefined;
  readonly cloud: Cloud;
  readonly authorityHost: string | undefined;
  readonly graphBaseUrl: string | undefined;
}

/** The environment is wrong. `faults` has a line each: the variable, what is wrong with it, what to set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The environment is not complete:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const DURATION = /^\d+(\.\d+)?\s*(ms|s|m|h|d)$/;

const optional = z
  .string()
  .trim()
  .transform((text) => text || undefined)
  .optional();
const url = (schemes: readonly string[], hint: string) =>
  optional.refine((text) => text === undefined || schemes.includes(schemeOf(text)), { message: hint });
const httpsOrigin = url(['https:'], 'must be an https URL such as https://localhost:9443');

const SCHEMA = z.object({
  NODE_ENV: optional,
  DATA_DIR: optional,
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'must look like postgres://user:password@host:5432/database'),
  TEMPORAL_ADDRESS: optional.refine((text) => text === undefined || /^[^\s/]+:\d+$/.test(text), {
    message: 'must be host:port, such as localhost:7233',
  }),
  TEMPORAL_NAMESPACE: optional,
  TEMPORAL_TASK_QUEUE: optional,
  ENTRA_CLIENT_ID: optional.refine((text) => text === undefined || z.guid().safeParse(text).success, {
    message: 'must be the Application (client) ID of the multi-tenant app registration, a GUID',
  }),
  ENTRA_CLIENT_SECRET: optional,
  ENTRA_CLIENT_CERTIFICATE_FILE: optional,
  ENTRA_FEDERATED_TOKEN_FILE: optional,
  ENTRA_CLIENT_SECRET_NEXT: optional,
  ENTRA_CLIENT_CERTIFICATE_FILE_NEXT: optional,
  ENTRA_CLOUD: optional.pipe(
    z
      .enum(['global', 'usgov', 'usgovdod', 'china'], { error: 'must be global, usgov, usgovdod or china' })
      .default('global'),
  ),
  ENTRA_AUTHORITY_HOST: httpsOrigin,
  GRAPH_BASE_URL: httpsOrigin,
  PUBLIC_URL: url(
    ['http:', 'https:'],
    'must be the URL under which browsers reach the API, such as https://sync.example.com',
  ),
  PORT: optional.pipe(
    z.coerce.number<string | undefined>({ error: 'must be a port number' }).int().min(0).max(65_535).default(8080),
  ),
  API_KEY: optional,
  ENCRYPTION_KEYS: optional,
  SYNC_INTERVAL: optional.refine(
    (text) => text === undefined || (DURATION.test(text) && ms(text as StringValue) >= 1_000),
    {
      message: 'must be a duration of 1s or more, such as 5m',
    },
  ),
  NOTIFICATION_URL: url(
    ['http:', 'https:'],
    'must be the https URL under which Microsoft reaches the API, such as https://sync.example.com',
  ),
  LOG_LEVEL: optional.pipe(
    z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { error: 'must be a level such as info' })
      .default('info'),
  ),
});

/** Reads and checks everything that API and worker need. @throws {ConfigError} with all faults. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = SCHEMA.safeParse(env);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`);
  const raw = (name: string) => env[name]?.trim() || undefined;
  const publicUrl = (raw('PUBLIC_URL') ?? `http://localhost:${raw('PORT') ?? 8080}`).replace(/\/+$/, '');
  const loopback = isLoopback(publicUrl);
  const production = raw('NODE_ENV') === 'production' || !loopback;
  if (!loopback && schemeOf(publicUrl) === 'http:') faults.push('PUBLIC_URL must be https unless it is loopback');
  const notificationUrl = raw('NOTIFICATION_URL')?.replace(/\/+$/, '');
  if (
    notificationUrl !== undefined &&
    schemeOf(notificationUrl) === 'http:' &&
    (production || !isLoopback(notificationUrl))
  ) {
    faults.push('NOTIFICATION_URL must be https: Microsoft tells nothing to another address');
  }
  if (production && (raw('API_KEY') ?? '').length < 16)
    faults.push('API_KEY must be set in production: 16 random characters or more');
  if (production && !raw('ENCRYPTION_KEYS')) {
    faults.push('ENCRYPTION_KEYS must be set in production: id:base64(32 bytes), e.g. k1:$(openssl rand -base64 32)');
  }
  const entra = readEntra(env, faults);
  const security = readTemporalSecurity(env, faults);
  if (faults.length > 0 || !parsed.success || !entra) throw new ConfigError(faults);
  const { data } = parsed;
  return {
    production,
    dataDir: resolve(data.DATA_DIR ?? '.data'),
    databaseUrl: data.DATABASE_URL,
    temporal: {
      address: data.TEMPORAL_ADDRESS,
      namespace: data.TEMPORAL_NAMESPACE ?? 'default',
      taskQueue: data.TEMPORAL_TASK_QUEUE ?? 'entra-sync',
      security,
    },
    entra,
    publicUrl,
    port: data.PORT,
    apiKey: data.API_KEY,
    encryptionKeys: data.ENCRYPTION_KEYS,
    notificationUrl,
    syncIntervalMs: ms((data.SYNC_INTERVAL ?? '5m') as StringValue),
    logLevel: data.LOG_LEVEL,
  };
}

/** What a migration needs: the database alone. */
export function readStoreConfig(env: NodeJS.ProcessEnv): Pick<Config, 'databaseUrl' | 'dataDir' | 'logLevel'> {
  const parsed = SCHEMA.pick({ DATABASE_URL: true, DATA_DIR: true, LOG_LEVEL: true }).safeParse(env);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`));
  const { DATABASE_URL, DATA_DIR, LOG_LEVEL } = parsed.data;
  return { databaseUrl: DATABASE_URL, dataDir: resolve(DATA_DIR ?? '.data'), logLevel: LOG_LEVEL };
}

/** What `entra-sync doctor` needs: the way to Microsoft and our own credentials. */
export function readEntraConfig(env: NodeJS.ProcessEnv): EntraConfig {
  const faults: string[] = [];
  const entra = readEntra(env, faults);
  if (faults.length > 0 || !entra) throw new ConfigError(faults);
  return entra;
}

const ENTRA_SCHEMA = SCHEMA.pick({
  ENTRA_CLIENT_ID: true,
  ENTRA_CLIENT_SECRET_NEXT: true,
  ENTRA_CLIENT_CERTIFICATE_FILE_NEXT: true,
  ENTRA_CLOUD: true,
  ENTRA_AUTHORITY_HOST: true,
  GRAPH_BASE_URL: true,
});

function readEntra(env: NodeJS.ProcessEnv, faults: string[]): EntraConfig | undefined {
  const parsed = ENTRA_SCHEMA.safeParse(env);
  if (!env['ENTRA_CLIENT_ID']?.trim()) {
    faults.push('ENTRA_CLIENT_ID must be set: the Application (client) ID of the multi-tenant app registration');
  }
  const credential = readCredential(env, faults);
  const nextCredential = readNext(env, faults);
  if (!parsed.success) {
    const told = parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`);
    faults.push(...told.filter((fault) => !faults.includes(fault)));
    return undefined;
  }
  const { data } = parsed;
  if (!credential || data.ENTRA_CLIENT_ID === undefined) return undefined;
  return {
    clientId: data.ENTRA_CLIENT_ID,
    credential,
    nextCredential,
    cloud: data.ENTRA_CLOUD,
    authorityHost: originOf(data.ENTRA_AUTHORITY_HOST),
    graphBaseUrl: originOf(data.GRAPH_BASE_URL),
  };
}

function readNext(env: NodeJS.ProcessEnv, faults: string[]): Credential | undefined {
  const secret = env['ENTRA_CLIENT_SECRET_NEXT']?.trim();
  const file = env['ENTRA_CLIENT_CERTIFICATE_FILE_NEXT']?.trim();
  if (secret && file) faults.push('Set only one of ENTRA_CLIENT_SECRET_NEXT, ENTRA_CLIENT_CERTIFICATE_FILE_NEXT');
  if (secret) return { kind: 'secret', secret };
  if (!file) return undefined;
  try {
    accessSync(file, constants.R_OK);
  } catch {
    faults.push(`ENTRA_CLIENT_CERTIFICATE_FILE_NEXT cannot be read: ${file}`);
  }
  return { kind: 'certificate', file };
}

function readCredential(env: NodeJS.ProcessEnv, faults: string[]): Credential | undefined {
  const secret = env['ENTRA_CLIENT_SECRET']?.trim();
  const certificateFile = env['ENTRA_CLIENT_CERTIFICATE_FILE']?.trim();
  const tokenFile = env['ENTRA_FEDERATED_TOKEN_FILE']?.trim();
  const given = [secret, certificateFile, tokenFile].filter(Boolean).length;
  if (given !== 1) {
    faults.push(
      `${given === 0 ? 'Set one of' : 'Set only one of'} ENTRA_CLIENT_SECRET, ENTRA_CLIENT_CERTIFICATE_FILE, ENTRA_FEDERATED_TOKEN_FILE`,
    );
    return undefined;
  }
  if (secret) return { kind: 'secret', secret };
  const file = certificateFile || tokenFile || '';
  try {
    accessSync(file, constants.R_OK);
  } catch {
    faults.push(
      `${certificateFile ? 'ENTRA_CLIENT_CERTIFICATE_FILE' : 'ENTRA_FEDERATED_TOKEN_FILE'} cannot be read: ${file}`,
    );
    return undefined;
  }
  return { kind: certificateFile ? 'certificate' : 'federated', file };
}

function schemeOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : '';
}

function originOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : new URL(text).origin;
}

function isLoopback(text: string): boolean {
  return !URL.canParse(text) || LOOPBACK.test(new URL(text).hostname);
}
