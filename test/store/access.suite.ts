import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Backend } from './backend.ts';
import { tablesWith } from './everywhere.ts';
import { boundTenant } from './rounds.ts';

/** Keys of the API, and who did what. */
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
}
