import * as z from 'zod';
import { awaitEvents } from '../await-events.ts';
import { isHidden } from '../keys/allowed.ts';
import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { EVENT_CURSOR, event } from '../schemas/event.ts';
import { limit } from '../schemas/paging.ts';
import { tenantId } from '../schemas/tenant.ts';

const MAX_WAIT = 30;

const wait = z
  .string()
  .regex(/^\d{1,2}$/, 'A whole number of seconds from 0 to 30 is expected.')
  .transform(Number)
  .refine((seconds) => seconds <= MAX_WAIT, 'A whole number of seconds from 0 to 30 is expected.')
  .default(0)
  .meta({
    description: 'Seconds to wait where there is nothing yet',
    openapi: { type: 'integer', minimum: 0, maximum: MAX_WAIT, default: 0 },
  });

export const getEvents = defineRoute({
  method: 'get',
  path: '/v1/events',
  tag: 'Events',
  summary: 'Read events in order',
  description:
    'Every change once, in order, never skipping one. Go on with the `cursor` of each answer, also where it holds no event. A cursor of a list stream (`Entra-Sync-Cursor`) is good here too.',
  access: 'key',
  ownTenantOnly: true,
  query: z.strictObject({
    after: z
      .string()
      .regex(EVENT_CURSOR, 'A cursor of this feed is expected.')
      .optional()
      .meta({ description: 'Left out: from the oldest event that is kept' }),
    tenant: tenantId.optional().meta({ description: 'Only of this tenant' }),
    limit,
    wait,
  }),
  answers: {
    200: {
      description: 'Events after the cursor, and the cursor after them',
      schema: z.strictObject({ data: z.array(event), cursor: z.string() }).meta({ id: 'Events' }),
    },
  },
  problems: ['tenant-not-found', 'cursor-expired'],
  async handle({ query, caller }, deps) {
    if (query.tenant !== undefined && isHidden(query.tenant, caller.key)) return problem('tenant-not-found');
    const tenant = query.tenant === undefined ? caller.key?.tenant : await deps.store.tenants.byId(query.tenant);
    if (tenant === undefined && query.tenant !== undefined) return problem('tenant-not-found');
    const read = await awaitEvents(deps.store.feed, {
      after: query.after,
      limit: query.limit,
      tenantNo: tenant?.no,
      waitMs: query.wait * 1000,
      gone: caller.gone,
    });
    if (read === 'expired') {
      return problem(
        'cursor-expired',
        'Events were dropped, or the database was restored. Read the lists again, as streams, and go on from their cursor.',
      );
    }
    return json(200, { data: [...read.events], cursor: read.cursor });
  },
});
