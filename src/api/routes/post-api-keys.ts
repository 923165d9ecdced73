import { hashOf, newKey } from '../keys/secret.ts';
import { newId } from '../new-id.ts';
import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { apiKeyWithSecret, newApiKey, toApiKey } from '../schemas/api-keys.ts';

export const postApiKeys = defineRoute({
  method: 'post',
  path: '/v1/api-keys',
  tag: 'API keys',
  summary: 'Make an API key',
  description: 'The key is in this answer and nowhere else: a hash of it is kept.',
  access: 'key',
  body: newApiKey,
  answers: { 201: { description: 'Made', schema: apiKeyWithSecret } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ body: { name, role, tenant }, caller }, { store }) {
    const id = newId('key');
    await caller.concerns({ subject: id, ...(tenant === null ? {} : { tenant }) });
    const row = tenant === null ? null : await store.tenants.byId(tenant);
    if (row === undefined) return problem('tenant-not-found');
    if (row?.deletingAt) return problem('state-conflict', 'The tenant is being deleted.');
    const key = newKey();
    const created = await store.apiKeys.create({
      id,
      name,
      role,
      tenantNo: row?.no ?? null,
      hash: hashOf(key),
    });
    return created === undefined ? problem('tenant-not-found') : json(201, { ...toApiKey(created), key });
  },
});
