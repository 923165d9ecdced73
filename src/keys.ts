import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from './config.ts';

const KEYS = z.object({ apiKey: z.string(), encryptionKeys: z.string() });

export interface Keys {
  readonly apiKey: string;
  readonly encryptionKeys: string;
  /** True when they were made just now: the only time that the API key is shown. */
  readonly fresh: boolean;
}

/** The configured keys; outside production, what is missing is made once and kept in a file that only we can read. */
export function loadKeys(config: Pick<Config, 'apiKey' | 'encryptionKeys' | 'dataDir'>): Keys {
  const { apiKey, encryptionKeys } = config;
  if (apiKey !== undefined && encryptionKeys !== undefined) return { apiKey, encryptionKeys, fresh: false };
  const file = join(config.dataDir, 'keys.json');
  const made = {
    apiKey: `es_${randomBytes(24).toString('base64url')}`,
    encryptionKeys: `dev:${randomBytes(32).toString('base64')}`,
  };
  mkdirSync(config.dataDir, { recursive: true });
  let fresh = true;
  try {
    // Two processes may start at once: the one that creates the file decides.
    writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    fresh = false;
  }
  const kept = KEYS.parse(JSON.parse(readFileSync(file, 'utf8')));
  return {
    apiKey: apiKey ?? kept.apiKey,
    encryptionKeys: encryptionKeys ?? kept.encryptionKeys,
    fresh: fresh && apiKey === undefined,
  };
}
