import { list, LIST_HEADERS } from '../list.ts';
import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { GUID, GUID_PAIR } from '../schemas/fields.ts';
import { heldAnswer, heldLine, heldQuery, toHeld, toHeldEntry, type HeldAnswer } from '../schemas/held.ts';
import { tenantPath } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const getHeld = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}/held',
  tag: 'Tenants',
  summary: 'See the removals that wait for a person',
  description:
    'How much would go if it were approved now; with `kind` which. Entries that stop being true leave the set by themselves.',
  access: 'key',
  params: tenantPath,
  query: heldQuery,
  answers: {
    200: {
      description: 'Counts, or a page of entries by id',
      schema: heldAnswer,
      lines: heldLine,
      headers: LIST_HEADERS,
    },
  },
  problems: ['tenant-not-found', 'invalid-cursor'],
  async handle(input, deps) {
    const { kind, cursor } = input.query;
    return withTenant<HeldAnswer>(input.params.id, deps, async ({ no, guard }) => {
      if (kind === undefined) {
        if (cursor !== undefined) return problem('invalid-cursor', 'Only a list of one kind has pages.');
        return json(200, toHeld(await deps.store.held.summary(no), guard));
      }
      return list(input, deps, {
        read: (after, limit) => deps.store.held.list(no, kind, after, limit),
        toJson: toHeldEntry(kind),
        keys: kind === 'memberships' ? GUID_PAIR : GUID,
      });
    });
  },
});
