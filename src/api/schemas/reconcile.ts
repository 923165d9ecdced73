import * as z from 'zod';
import type { ReconcileStatus } from '../../store/face/reconcile.ts';

const time = z.string().meta({ format: 'date-time' });

const differences = z.strictObject({
  missing: z.int().meta({ description: 'Not in the mirror, and in the directory' }),
  extra: z.int().meta({ description: 'In the mirror still, and not in the directory' }),
  different: z.int().meta({ description: 'With other attributes' }),
});

export const reconcile = z
  .strictObject({
    comparing: z.boolean().meta({ description: 'The directory is being read' }),
    startedAt: time.nullable(),
    completedAt: time.nullable().meta({ description: 'When all of it was read' }),
    dueAt: time.meta({ description: 'When the next one begins' }),
    compared: z.int().meta({ description: 'Objects and memberships' }),
    suspected: z.int().meta({ description: 'Objects of which it said something else than the mirror' }),
    waiting: z.int().meta({ description: 'Of those, how many wait for a second look' }),
    drift: z.int().meta({ description: 'Differences that a second look confirmed, corrected since' }),
    driftByKind: z.strictObject({ user: differences, group: differences, membership: differences }),
  })
  .nullable()
  .meta({
    description: 'The last comparison of the mirror with a fresh read of the whole directory, or the running one',
  });

export const reconcileShown = (status: ReconcileStatus | null): z.input<typeof reconcile> =>
  status && {
    ...status,
    driftByKind: {
      user: { ...status.driftByKind.user },
      group: { ...status.driftByKind.group },
      membership: { ...status.driftByKind.membership },
    },
  };
