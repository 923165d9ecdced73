import * as z from 'zod';
import type { Feed } from '../../domain/directory.ts';
import type { ScopeSettings } from '../../domain/scope.ts';
import { CONTRACT_ATTRIBUTES, isSelectable } from '../../domain/selectable.ts';

const MAX_ATTRIBUTES = 50;

const yesNo = (description: string) => z.boolean('Either true or false is expected.').optional().meta({ description });

const attributesOf = (feed: Feed, example: string) =>
  z
    .array(z.string({ error: 'The name of an attribute is expected.' }), { error: 'A list of names is expected.' })
    .max(MAX_ATTRIBUTES, `At most ${MAX_ATTRIBUTES} attributes are allowed.`)
    .superRefine((names, ctx) => {
      names.forEach((name, index) => {
        if (CONTRACT_ATTRIBUTES[feed].includes(name)) return;
        if (isSelectable(feed, name)) return;
        ctx.addIssue({
          code: 'custom',
          message: `Delta query of ${feed} knows no such attribute, or asks for more permissions to read it; names are spelled as Graph does.`,
          path: [index],
        });
      });
    })
    // Those of the contract come anyway.
    .transform((names) => [...new Set(names)].filter((name) => !CONTRACT_ATTRIBUTES[feed].includes(name)))
    .optional()
    .meta({ description: `Attributes beside the contract's; a change reads the directory again`, example: [example] });

const words = 'What of the directory is mirrored beside `groupsToSync`; every setting narrows';

export const scopeSettings = z
  .strictObject({
    nested: yesNo('Groups inside the groups to sync are synced too, at any depth (false)'),
    assignedOnly: yesNo('Only people assigned to the application, directly or by a group that they are in (false)'),
    guests: yesNo('Guests are mirrored (true)'),
    disabled: yesNo('Accounts whose sign-in is blocked are mirrored (true)'),
    userAttributes: attributesOf('users', 'manager'),
    groupAttributes: attributesOf('groups', 'membershipRule'),
  })
  .meta({ id: 'ScopeSettings', description: words });

export const scope = z
  .strictObject({
    nested: z.boolean(),
    assignedOnly: z.boolean(),
    guests: z.boolean(),
    disabled: z.boolean(),
    userAttributes: z.array(z.string()),
    groupAttributes: z.array(z.string()),
  })
  .meta({ id: 'Scope', description: words });

const candidate = z.strictObject({ id: z.string(), displayName: z.string().nullable(), mail: z.string().nullable() });

export const unresolvedGroup = z
  .strictObject({ entry: z.string(), candidates: z.array(candidate) })
  .meta({ id: 'UnresolvedGroup' });

export const scopeGroup = z
  .strictObject({
    entry: z.string(),
    groupId: z
      .string()
      .nullable()
      .meta({ description: 'Null where it fits no group, or several, or was not looked for yet' }),
    displayName: z.string().nullable(),
    candidates: z.array(candidate).meta({ description: 'Groups that it may mean, where there are several' }),
  })
  .meta({ id: 'ScopeGroup' });

/** Only what the caller said: a setting that is undefined would hide the default. */
export function scopeSettingsOf(given: z.output<typeof scopeSettings> = {}): ScopeSettings {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
