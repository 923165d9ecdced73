import * as z from 'zod';
import type { EventType } from '../../domain/event.ts';

const EVENT_TYPES = [
  'user.created',
  'user.updated',
  'user.deleted',
  'user.restored',
  'group.created',
  'group.updated',
  'group.deleted',
  'group.restored',
  'membership.added',
  'membership.removed',
  'tenant.state_changed',
  'tenant.purged',
  'tenant.deleted',
  'sync.completed',
] as const satisfies readonly EventType[];

export const event = z
  .strictObject({
    id: z.string(),
    tenant: z.string(),
    type: z.enum(EVENT_TYPES),
    at: z.string().meta({ format: 'date-time' }),
    subject: z.strictObject({ kind: z.enum(['user', 'group', 'membership', 'tenant', 'sync']), id: z.string() }),
    data: z.unknown().meta({ description: 'The whole state after the change; before it, where the thing is gone' }),
    changed: z
      .record(z.string(), z.array(z.unknown()).length(2).readonly())
      .optional()
      .meta({ description: 'Of an update: attribute → [old, new]; null stands for never set' }),
    reason: z.enum(['directory', 'scope', 'purge']).optional(),
  })
  .meta({ id: 'Event' });

/** The feed's epoch and a position in it. */
export const EVENT_CURSOR = /^\d{1,15}-\d{1,15}$/;
