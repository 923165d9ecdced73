import * as z from 'zod';

export const MAX_LIMIT = 1000;

/** A number in a query string. */
const limitText = z
  .string()
  .regex(/^\d{1,4}$/, 'A whole number from 1 to 1000 is expected.')
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, 'A whole number from 1 to 1000 is expected.');

export const limit = limitText
  .default(100)
  .meta({ description: 'How many at most, 1 to 1000', openapi: { type: 'integer', minimum: 1, maximum: MAX_LIMIT } });

export const paging = z.strictObject({
  limit,
  cursor: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .meta({ description: '`nextCursor` of the page before. A stream has no pages and takes none.' }),
});

export const flag = z
  .enum(['true', 'false'], 'Either true or false is expected.')
  .default('false')
  .transform((text) => text === 'true')
  .meta({ openapi: { type: 'boolean', default: false } });

export function pageOf<T extends z.ZodType>(item: T, what: string) {
  return z
    .strictObject({
      data: z.array(item),
      nextCursor: z.string().nullable().meta({ description: 'For the next page; null at the end' }),
    })
    .meta({ id: `PageOf${what}` });
}
