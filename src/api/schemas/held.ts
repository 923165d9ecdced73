import * as z from 'zod';
import { type Guard, GUARDED } from '../../domain/guard.ts';
import type { HeldKind, HeldRow, HeldSummary } from '../../store/face/held.ts';
import { guard } from './guard.ts';
import { pageOf, paging } from './paging.ts';

export const heldQuery = z.strictObject({
  kind: z
    .enum(['users', 'groups', 'memberships', 'disables'])
    .optional()
    .meta({ description: 'List the entries of this kind, in place of counting all' }),
  ...paging.shape,
});

const heldSummary = z
  .strictObject({
    held: z.boolean(),
    since: z.string().nullable().meta({ format: 'date-time' }),
    counts: z
      .strictObject({ users: z.int(), groups: z.int(), memberships: z.int(), disables: z.int() })
      .meta({ description: 'What an approval would take away now; memberships of what goes are counted as well' }),
    exceeded: z.array(z.enum(GUARDED)).meta({ description: 'Of which kinds there were too many at once' }),
    sample: z
      .strictObject({ read: z.int(), stillThere: z.int() })
      .nullable()
      .meta({ description: 'What a fresh read of some entries showed: what is still there was not meant to go' }),
    guard,
  })
  .meta({ id: 'Held' });

const heldEntry = z
  .strictObject({
    id: z.string().meta({ description: 'Of a membership `groupId:memberId`' }),
    displayName: z.string().nullable().meta({ description: "Of a membership the group's" }),
    userPrincipalName: z.string().nullable(),
    reason: z.enum(['changed', 'deleted', 'scope', 'disabled', 'left', 'group_removed', 'member_removed']),
  })
  .meta({ id: 'HeldEntry' });

export const heldAnswer = z.union([heldSummary, pageOf(heldEntry, 'HeldEntries')]);
export type HeldAnswer = z.input<typeof heldAnswer>;
export const heldLine = heldEntry;

export function toHeld(summary: HeldSummary | undefined, thresholds: Guard): z.input<typeof heldSummary> {
  return {
    held: summary !== undefined,
    since: summary?.since ?? null,
    counts: summary?.counts ?? { users: 0, groups: 0, memberships: 0, disables: 0 },
    exceeded: [...(summary?.exceeded ?? [])],
    sample: summary?.sample ?? null,
    guard: thresholds,
  };
}

export const toHeldEntry =
  (kind: HeldKind) =>
  ({ id, data, reason }: HeldRow): z.input<typeof heldEntry> => ({
    id,
    displayName: textOf(data?.['displayName']),
    userPrincipalName: kind === 'users' || kind === 'disables' ? textOf(data?.['userPrincipalName']) : null,
    reason,
  });

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
