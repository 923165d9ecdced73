import * as z from 'zod';
import { USER_ATTRIBUTES } from '../../domain/directory.ts';
import { guid } from './fields.ts';

const value = z.union([z.string().max(1024), z.boolean(), z.null()], {
  error: 'Text, true, false or null is expected.',
});

export const accessQuestion = z
  .strictObject(
    {
      userId: guid,
      groups: z.array(guid, 'A list of group ids is expected.').max(100, 'At most 100 groups are allowed.').default([]),
      attributes: z
        .partialRecord(z.enum(USER_ATTRIBUTES, `One of ${USER_ATTRIBUTES.join(', ')} is expected.`), value)
        .default({})
        .meta({ description: 'Attribute → what it has to be; of a list of values, one of them' }),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'A JSON object is expected.' : undefined) },
  )
  .meta({ id: 'AccessQuestion' });
export type AccessQuestion = z.output<typeof accessQuestion>;

const uuid = z.string().meta({ format: 'uuid' });

export const accessAnswer = z
  .strictObject({
    allowed: z.boolean(),
    reason: z
      .enum(['not_synced', 'unknown_user', 'user_disabled', 'not_member', 'attribute_differs'])
      .nullable()
      .meta({ description: 'The first reason against it; null where it is allowed' }),
    groups: z.array(
      z.strictObject({
        groupId: uuid,
        member: z.boolean(),
        path: z
          .array(uuid)
          .nullable()
          .meta({ description: 'The shortest way: the group directly joined, …, this group' }),
      }),
    ),
    attributes: z.array(z.strictObject({ name: z.string(), expected: value, actual: z.unknown(), ok: z.boolean() })),
    asOf: z.string().nullable().meta({ format: 'date-time', description: 'What Microsoft showed at that time is in' }),
    ageSeconds: z.int().nullable(),
  })
  .meta({ id: 'AccessAnswer' });
export type AccessAnswer = z.input<typeof accessAnswer>;
