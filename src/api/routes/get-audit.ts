import { list, LIST_HEADERS } from '../list.ts';
import { defineRoute } from '../route.ts';
import { AUDIT_KEY, auditEntry, auditQuery, toAuditEntry } from '../schemas/audit.ts';
import { pageOf } from '../schemas/paging.ts';

export const getAudit = defineRoute({
  method: 'get',
  path: '/v1/audit',
  tag: 'API keys',
  summary: 'Who did what',
  description:
    'Every call that changes something, and every consent that came to a decision, the latest first, for 30 days. What is refused for its key or for faults of the request is in the log alone.',
  access: 'key',
  role: 'administrator',
  query: auditQuery,
  answers: {
    200: {
      description: 'Entries, the latest first',
      schema: pageOf(auditEntry, 'AuditEntries'),
      lines: auditEntry,
      headers: LIST_HEADERS,
    },
  },
  problems: ['invalid-cursor'],
  async handle(input, deps) {
    return list(input, deps, {
      read: (after, limit) => deps.store.audit.list(after, limit, input.query.tenant),
      toJson: toAuditEntry,
      keys: AUDIT_KEY,
    });
  },
});
