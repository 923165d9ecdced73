import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { API_KEY_ID, apiKey, apiKeyPath, toApiKey } from '../schemas/api-keys.ts';

export const deleteApiKey = defineRoute({
  method: 'delete',
  path: '/v1/api-keys/{keyId}',
  tag: 'API keys',
  summary: 'Revoke an API key',
  description: 'It opens nothing from the next request on.',
  access: 'key',
  params: apiKeyPath,
  answers: { 200: { description: 'Revoked', schema: apiKey } },
  problems: ['api-key-not-found'],
  async handle({ params: { keyId }, caller }, { store }) {
    if (!API_KEY_ID.test(keyId)) return problem('api-key-not-found');
    await caller.concerns({ subject: keyId });
    const revoked = await store.apiKeys.revoke(keyId);
    return revoked === undefined ? problem('api-key-not-found') : json(200, toApiKey(revoked));
  },
});
