import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import { SEALED, SEALED_PLACES } from '../../src/domain/sealed.ts';
import type { Backend } from './backend.ts';
import { tablesWith } from './everywhere.ts';
import { boundTenant } from './rounds.ts';

/** Keys of the API, who did what, and another key for what is sealed. */
export function accessSuite(backend: () => Backend): void {
  const store = () => backend().store;
  const newKey = (tenantNo: number | null = null) => ({
    ...{ id: `key_${randomUUID()}`, name: 'a test', role: 'reader' as const, tenantNo, hash: randomBytes(32) },
  });

  describe('an API key', () => {
    test('is found by its hash, and notes its use once a minute', async () => {
      const { id, hash, ...made } = newKey();
      const usedAt = async () => {
        const { rows } = await sql<{ at: string }>`
          SELECT last_used_at AS at FROM api_key WHERE id = ${id}`.execute(backend().db);
        return rows[0]?.at;
      };
      expect(await store().apiKeys.create({ id, hash, ...made })).toMatchObject({ id, lastUsedAt: null, tenant: null });
      await Promise.all([1, 2, 3].map(() => store().apiKeys.use(hash)));
      const first = await usedAt();
      expect(await store().apiKeys.use(hash)).toMatchObject({ id, role: 'reader', lastUsedAt: first });
      expect(await usedAt()).toBe(first);
      await sql`UPDATE api_key SET last_used_at = now() - interval '61 seconds' WHERE id = ${id}`.execute(backend().db);
      await store().apiKeys.use(hash);
      expect(Date.parse((await usedAt()) ?? '')).toBeGreaterThanOrEqual(Date.parse(first ?? ''));
      expect(await store().apiKeys.use(randomBytes(32))).toBeUndefined();
    });

    test('is found no more once it is revoked, and forgotten with the events of its time', async () => {
      const key = newKey();
      await store().apiKeys.create(key);
      const revoked = await store().apiKeys.revoke(key.id);
      expect(revoked?.revokedAt).not.toBeNull();
      expect(await store().apiKeys.revoke(key.id)).toEqual(revoked);
      expect(await store().apiKeys.use(key.hash)).toBeUndefined();
      await store().retention.sweep();
      expect((await store().apiKeys.list(undefined, 1000)).data).toContainEqual(revoked);
      await sql`UPDATE api_key SET revoked_at = now() - interval '31 days' WHERE id = ${key.id}`.execute(backend().db);
      await store().retention.sweep();
      expect(await store().apiKeys.revoke(key.id)).toBeUndefined();
    });

    test('goes with its tenant, and is not made for one that is gone', async () => {
      const { no, id } = await boundTenant(store());
      const key = newKey(no);
      expect(await store().apiKeys.create(key)).toMatchObject({ tenant: { no, id } });
      await store().tenants.purge(no, () => undefined);
      expect(await store().apiKeys.use(key.hash)).toBeUndefined();
      expect(await tablesWith(backend().db, key.id)).toEqual([]);
      expect(await store().apiKeys.create(newKey(no))).toBeUndefined();
    });
  });

  describe('the audit log', () => {
    const entry = {
      ...{ actor: 'key' as const, keyId: 'bootstrap', action: 'POST /v1/tenants', tenant: 'audited', subject: null },
      ...{ address: '192.0.2.1', requestId: randomUUID() },
    };
    const entries = async () => (await store().audit.list(undefined, 1000, 'audited')).data;

    test('is the latest first, each entry ended on its own', async () => {
      const first = await store().audit.begin(entry);
      const second = await store().audit.begin({ ...entry, actor: 'operator', keyId: null, requestId: null });
      await store().audit.note(first, { tenant: 'audited', subject: 'a key', status: 201 });
      expect(await entries()).toMatchObject([
        { no: second, status: null, requestId: null },
        { ...entry, no: first, subject: 'a key', status: 201, keyName: null },
      ]);
      const page = await store().audit.list(undefined, 1, 'audited');
      expect(page).toMatchObject({ data: [{ no: second }], next: String(second) });
      expect(await store().audit.list(page.next ?? '', 1, 'audited')).toMatchObject({
        data: [{ no: first }],
        next: null,
      });
    });

    test('is kept as long as the events are', async () => {
      await store().audit.begin(entry);
      const { length } = await entries();
      await sql`UPDATE audit_entry SET at = now() - interval '31 days'
        WHERE no = (SELECT max(no) FROM audit_entry)`.execute(backend().db);
      await store().retention.sweep();
      expect(await entries()).toHaveLength(length - 1);
    });
  });

  describe('what is sealed', () => {
    const sealerOf = (...ids: string[]) =>
      createSealer(parseEncryptionKeys(ids.map((id) => `${id}:${Buffer.alloc(32, id).toString('base64')}`).join()));
    const [old, young, both] = [sealerOf('a'), sealerOf('b'), sealerOf('b', 'a')];
    const again = (key: string, sealed: Uint8Array) => {
      const context = SEALED.tenant_token(key);
      return key === unlucky ? undefined : both.seal(both.open(sealed, context), context);
    };
    let unlucky = '';

    test('is sealed anew in batches, each row once, but for what does not open', async () => {
      const tenants = await Promise.all(Array.from({ length: 5 }, () => boundTenant(store())));
      for (const { no } of tenants) {
        await store().tokens.put(no, old.seal(`token ${no}`, SEALED.tenant_token(no)), new Date());
      }
      unlucky = String(tenants[2]?.no);
      const before = await store().sealed.countByKey('tenant_token');
      expect(before.get('a')).toBe(5);
      let after: string | undefined = '';
      let changed = 0;
      while (after !== undefined) {
        const batch: Awaited<ReturnType<Backend['store']['sealed']['reseal']>> = await store().sealed.reseal(
          ...(['tenant_token', 'b', after, again] as const),
        );
        changed += batch.changed;
        after = batch.last;
      }
      expect(changed).toBe(4);
      expect(Object.fromEntries(await store().sealed.countByKey('tenant_token'))).toMatchObject({ a: 1, b: 4 });
      for (const { no } of tenants.filter((tenant) => String(tenant.no) !== unlucky)) {
        const { sealed } = (await store().tokens.get(no)) ?? { sealed: new Uint8Array() };
        expect(young.open(sealed, SEALED.tenant_token(no))).toBe(`token ${no}`);
      }
    });

    test('stands in the places that are gone through', async () => {
      const { rows } = await sql<{ name: string }>`
        SELECT table_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name LIKE '%sealed%' ORDER BY 1`.execute(backend().db);
      expect(rows.map(({ name }) => name)).toEqual([...SEALED_PLACES].sort());
    });

    test('and renewed meanwhile is the renewed one afterwards', async () => {
      const { no } = await boundTenant(store());
      const context = SEALED.tenant_token(no);
      await store().tokens.put(no, old.seal('first', context), new Date());
      await Promise.all([
        store().sealed.reseal('tenant_token', 'b', String(no - 1), again),
        store().tokens.put(no, old.seal('second', context), new Date()),
        store().sealed.reseal('tenant_token', 'b', String(no - 1), again),
      ]);
      const { sealed } = (await store().tokens.get(no)) ?? { sealed: new Uint8Array() };
      expect(both.open(sealed, context)).toBe('second');
    });
  });
}
