import { CsvError, parse } from 'csv-parse/sync';
import * as z from 'zod';

export const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A membership's key: group and member, as the store writes them. */
export const GUID_PAIR = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const guid = z
  .string({ error: 'A GUID is expected.' })
  .regex(GUID, 'A GUID is expected.')
  .transform((text) => text.toLowerCase())
  .meta({ format: 'uuid' });

/** Text for people: PostgreSQL cannot keep U+0000, and half a surrogate pair is no character. */
export const readableText = (max: number) =>
  z
    .string({ error: 'Text is expected.' })
    .min(1, 'Text is expected.')
    .max(max, `At most ${max} characters are allowed.`)
    .regex(
      // oxlint-disable-next-line no-control-regex -- written out, since clients of other languages know no \p{Cc}.
      /^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]*$/u,
      'Control characters and unpaired surrogates are not allowed.',
    );

const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/i;

export const expectedDirectory = z
  .string({ error: 'A directory id or a domain is expected.' })
  .refine((text) => GUID.test(text) || DOMAIN.test(text), 'A directory id (GUID) or a domain is expected.')
  .transform((text) => text.toLowerCase())
  .meta({
    description: 'The only directory that may be connected: its id or one of its domains',
    example: 'contoso.com',
  });

const MAX_GROUPS = 1000;
const groupName = readableText(256);

export const groupsToSync = z
  .union([z.string(), z.array(z.string())], { error: 'A list of texts, or one line of CSV, is expected.' })
  .transform((given, ctx) => {
    const names = typeof given === 'string' ? csvLine(given) : given.map((name) => name.trim());
    if (names === undefined) {
      ctx.addIssue({
        code: 'custom',
        message: 'One line of CSV is expected (RFC 4180: quotes around names with commas).',
      });
      return z.NEVER;
    }
    if (names.length > MAX_GROUPS)
      ctx.addIssue({ code: 'custom', message: `At most ${MAX_GROUPS} groups are allowed.` });
    names.forEach((name, index) => {
      for (const issue of groupName.safeParse(name).error?.issues ?? []) {
        ctx.addIssue({ code: 'custom', message: issue.message, path: [index] });
      }
    });
    return [...new Set(names)];
  })
  .meta({
    description: 'Group ids or display names: a list, or one line of CSV. Empty: the whole directory',
    example: 'Sales, "Research, Development"',
  });

/** The fields of one line; undefined where it is not one line of CSV. */
function csvLine(line: string): readonly string[] | undefined {
  if (line.trim() === '') return [];
  try {
    const records = parse(line, { trim: true, relax_column_count: true });
    return records.length === 1 ? records[0] : undefined;
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}
