import { list, LIST_HEADERS } from '../list.ts';
import { defineRoute } from '../route.ts';
import { API_KEY_ID, apiKey, toApiKey } from '../schemas/api-keys.ts';
import { pageOf, paging } from '../schemas/paging.ts';

export const getApiKeys = defineRoute({
  method: 'get',
  path: '/v1/api-keys',
  tag: 'API keys',
  summary: 'List API keys',
  description: 'Revoked ones too, for 30 days. `API_KEY` of the environment is not among them.',
  access: 'key',
  role: 'administrator',
  query: paging,
  answers: {
    200: { description: 'API keys by id', schema: pageOf(apiKey, 'ApiKeys'), lines: apiKey, headers: LIST_HEADERS },
  },
  problems: ['invalid-cursor'],
  async handle(input, deps) {
    return list(input, deps, {
      read: (after, limit) => deps.store.apiKeys.list(after, limit),
      toJson: toApiKey,
      keys: API_KEY_ID,
    });
  },
});
