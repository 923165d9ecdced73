import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer, type Sealer } from '../../src/crypto/sealer.ts';
import { SEALED } from '../../src/domain/sealed.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { newTenant } from '../store/rounds.ts';

const CLI = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));
const keyOf = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [lost, old, young] = [keyOf('lost'), keyOf('old'), keyOf('young')];
const sealerOf = (...keys: string[]) => createSealer(parseEncryptionKeys(keys.join()));

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'entra-sync-rotate-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ dataDir, log: pino({ level: 'silent' }) });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function seed(store: Store, sealer: Sealer, id: string): Promise<number> {
  const created = await store.tenants.create(newTenant(id));
  if (created === 'name_taken') throw new Error(`There is ${id} already`);
  const { no } = created.tenant;
  await store.tokens.put(no, sealer.seal(`token of ${id}`, SEALED.tenant_token(no)), new Date());
  const hash = createHash('sha256').update(id).digest();
  const sealed = sealer.seal(`consent of ${id}`, SEALED.consent_attempt(hash.toString('hex')));
  const attempt = { tenantNo: no, step: 'consent', browserHash: hash, entraTenant: null, sealed } as const;
  await store.consents.begin(hash, attempt, new Date(Date.now() + 60_000));
  return no;
}

const rotate = (keys: string | undefined) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = {
      PATH: process.env['PATH'],
      DATA_DIR: dataDir,
      ...(keys === undefined ? {} : { ENCRYPTION_KEYS: keys }),
    };
    execFile(process.execPath, [CLI, 'rotate-keys'], { env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });

describe('rotate-keys', () => {
  test('seals everything under the first key, says what became of the others, and may be repeated', async () => {
    const no = await withStore(async (store) => {
      await seed(store, sealerOf(lost), 'unlucky');
      return seed(store, sealerOf(old), 'acme');
    });
    const first = await rotate(`${young},${old}`);
    expect([first.code, first.err]).toEqual([0, '']);
    expect(first.out).toContain('access tokens: 1 of 2 sealed anew');
    expect(first.out).toContain('consents and sign-ins under way: 1 of 2 sealed anew');
    expect(first.out).toContain('2 are sealed under lost, which ENCRYPTION_KEYS does not hold');
    expect(first.out.trim().split('\n').at(-1)).toMatch(/^No longer needed to open anything: old\. .* 30 days after/);
    await withStore(async (store) => {
      const sealer = sealerOf(young);
      const { sealed } = (await store.tokens.get(no)) ?? { sealed: new Uint8Array() };
      expect(sealer.open(sealed, SEALED.tenant_token(no))).toBe('token of acme');
      const hash = createHash('sha256').update('acme').digest();
      const attempt = await store.consents.look(hash, hash);
      if (typeof attempt === 'string' || attempt.sealed === null) throw new Error('The attempt is gone');
      expect(sealer.open(attempt.sealed, SEALED.consent_attempt(hash.toString('hex')))).toBe('consent of acme');
      expect((await store.audit.list(undefined, 1)).data).toMatchObject([{ actor: 'operator', action: 'rotate-keys' }]);
    });
    const second = await rotate(`${young},${old}`);
    expect(second.code).toBe(0);
    expect(second.out).toContain('No longer needed to open anything: old.');
    expect(first.out + second.out).not.toContain(young.split(':')[1]);
  });

  test('says what to set where there is no key, or one that cannot be read', async () => {
    expect(await rotate(undefined)).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENCRYPTION_KEYS must be set'),
    });
    expect(await rotate('young')).toMatchObject({ code: 1, err: expect.stringContaining('entry 1 has no id') });
  });
});
