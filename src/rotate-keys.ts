import { ConfigError, readStoreConfig } from './config.ts';
import { parseEncryptionKeys, type EncryptionKeys } from './crypto/encryption-keys.ts';
import { createSealer, type Sealer } from './crypto/sealer.ts';
import { SEALED, SEALED_PLACES, type SealedPlace } from './domain/sealed.ts';
import { createLog } from './log.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

const WORDS: Readonly<Record<SealedPlace, string>> = {
  tenant_token: 'access tokens',
  consent_attempt: 'consents and sign-ins under way',
};

/**
 * Seals anew under the first of `ENCRYPTION_KEYS` what is sealed under another, in small transactions beside the running
 * service; broken off, it goes on where it stood. Says which keys nothing needs any more.
 * @returns whether that is all: false where something is sealed under another key still
 * @throws {ConfigError}
 */
export async function rotateKeys(
  env: NodeJS.ProcessEnv,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const config = readStoreConfig(env);
  const keys = readKeys(env);
  // Standard output is for the progress: of the log what goes wrong, such as a database that is awaited.
  const store = await openStore({ ...config, log: createLog('warn'), signal });
  try {
    const entry = { actor: 'operator', keyId: null, action: 'rotate-keys', tenant: null, subject: null } as const;
    const no = await store.audit.begin({ ...entry, address: null, requestId: null });
    const done = await rotate(store, keys, tell, signal);
    await store.audit.note(no, { ...entry, status: done ? 200 : 409 });
    return done;
  } finally {
    await store.close();
  }
}

function readKeys(env: NodeJS.ProcessEnv): EncryptionKeys {
  const text = env['ENCRYPTION_KEYS']?.trim();
  if (!text) throw new ConfigError(['ENCRYPTION_KEYS must be set: the new key first, those before it behind it']);
  return parseEncryptionKeys(text);
}

async function rotate(
  store: Store,
  keys: EncryptionKeys,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const [first, ...others] = keys;
  const sealer = createSealer(keys);
  for (const place of SEALED_PLACES) await resealPlace(store, place, first.id, sealer, tell, signal);
  const left = await countLeft(store, first.id);
  const known = others.filter(({ id }) => left.has(id)).map(({ id }) => id);
  const unknown = [...left].filter(([id]) => !others.some((key) => key.id === id));
  for (const [id, n] of unknown) {
    tell(`${n} are sealed under ${id}, which ENCRYPTION_KEYS does not hold: they are lost, and made anew when needed`);
  }
  for (const id of known) {
    tell(
      `${left.get(id)} are sealed under ${id} still: restart what seals under it with ${first.id} first, and run this again`,
    );
  }
  const free = others.filter(({ id }) => !left.has(id)).map(({ id }) => id);
  tell(lastLine(first.id, free));
  return known.length === 0;
}

async function resealPlace(
  store: Store,
  place: SealedPlace,
  under: string,
  sealer: Sealer,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const counts = await store.sealed.countByKey(place);
  const total = [...counts].reduce((sum, [id, n]) => (id === under ? sum : sum + n), 0);
  let done = 0;
  let after: string | undefined = '';
  while (after !== undefined) {
    signal.throwIfAborted();
    const { changed, last }: { changed: number; last: string | undefined } = await store.sealed.reseal(
      place,
      under,
      after,
      (key, sealed) => resealed(sealer, SEALED[place](key), sealed),
    );
    done += changed;
    after = last;
    if (last !== undefined || total === 0) tell(`${WORDS[place]}: ${done} of ${total} sealed anew`);
  }
}

/** Undefined for what does not open, such as under a key that is gone. */
function resealed(sealer: Sealer, context: string, sealed: Uint8Array): Uint8Array | undefined {
  let plaintext: string;
  try {
    plaintext = sealer.open(sealed, context);
  } catch {
    return undefined;
  }
  return sealer.seal(plaintext, context);
}

async function countLeft(store: Store, under: string): Promise<ReadonlyMap<string, number>> {
  const left = new Map<string, number>();
  for (const place of SEALED_PLACES) {
    for (const [id, n] of await store.sealed.countByKey(place)) {
      if (id !== under) left.set(id, (left.get(id) ?? 0) + n);
    }
  }
  return left;
}

function lastLine(first: string, free: readonly string[]): string {
  if (free.length === 0) return `No key of ENCRYPTION_KEYS can be taken out now`;
  return (
    `No longer needed to open anything: ${free.join(', ')}. Set-up links from before ${first} came first are signed by them: ` +
    `take them out 30 days after that, or now, if customers get the links that tenants show since`
  );
}
