import * as z from 'zod';
import { ACTORS } from '../../domain/audit.ts';
import type { AuditEntry } from '../../store/face/audit.ts';
import { BOOTSTRAP } from '../keys/holder.ts';
import { paging } from './paging.ts';
import { tenantId } from './tenant.ts';

export const auditQuery = paging.extend({ tenant: tenantId.optional().meta({ description: 'Only of this tenant' }) });
export const AUDIT_KEY = /^\d{1,15}$/;

export const auditEntry = z
  .strictObject({
    id: z.string(),
    at: z.string().meta({ format: 'date-time' }),
    actor: z.strictObject({
      kind: z.enum(ACTORS).meta({
        description: 'key: of the API; visitor: of the set-up pages; operator: of the command line, past the API',
      }),
      keyId: z.string().nullable().meta({ description: 'bootstrap: `API_KEY` of the environment' }),
      keyName: z.string().nullable().meta({ description: 'Null where nothing is known of the key any more' }),
    }),
    action: z.string().meta({ description: 'Method and route, or the command', example: 'PATCH /v1/tenants/{id}' }),
    tenant: z.string().nullable(),
    subject: z.string().nullable().meta({ description: 'Something else than a tenant, such as an API key, by its id' }),
    address: z.string().nullable().meta({
      description: "Who called, as the connection says: behind a proxy, the proxy's. Null once the tenant is purged",
    }),
    requestId: z.string().nullable().meta({ description: 'As in `X-Request-Id` and in the log' }),
    status: z.int().nullable().meta({ description: 'Of the answer. Null: it broke off, and may have happened or not' }),
  })
  .meta({ id: 'AuditEntry' });

export const toAuditEntry = ({ no, at, actor, keyId, keyName, ...rest }: AuditEntry): z.input<typeof auditEntry> => ({
  id: String(no),
  at,
  actor: { kind: actor, keyId, keyName: keyId === BOOTSTRAP.id ? 'API_KEY' : keyName },
  ...rest,
});
