import * as z from 'zod';
import type { SignInSettings } from '../../domain/sign-in.ts';
import { readReturnUrl } from '../sign-in/return-url.ts';
import { group, user } from './directory.ts';

const MAX_URLS = 50;
const HELP =
  'An address is expected as browsers write it: https (or http on loopback), no user, no fragment, no code, state or error in its query.';

const returnUrl = z
  .string({ error: HELP })
  .max(2000, 'At most 2000 characters are allowed.')
  .transform((text, ctx) => {
    const url = readReturnUrl(text);
    if (url !== undefined) return url;
    ctx.addIssue({ code: 'custom', message: HELP });
    return z.NEVER;
  })
  .meta({ format: 'uri', example: 'https://app.example.com/signed-in' });

const words = 'Sign-in with a work account';
const urlsAre = 'Where people may come back to: `return_to` has to be one of these, to the letter';
const assignmentIs =
  'Only who is assigned to the application under Enterprise applications > Users and groups, in person or by a group that they are a direct member of';

export const signInSettings = z
  .strictObject({
    returnUrls: z
      .array(returnUrl, { error: 'A list of addresses is expected.' })
      .max(MAX_URLS, `At most ${MAX_URLS} addresses are allowed.`)
      .transform((urls) => [...new Set(urls)])
      .optional()
      .meta({ description: urlsAre }),
    requireAssignment: z
      .boolean('Either true or false is expected.')
      .optional()
      .meta({ description: `${assignmentIs}. Without it the directory's own setting alone decides` }),
  })
  .meta({ id: 'SignInSettings', description: words });

export const signIn = z
  .strictObject({
    returnUrls: z.array(z.string()).meta({ description: urlsAre }),
    requireAssignment: z.boolean().meta({ description: assignmentIs }),
  })
  .meta({ id: 'SignIn', description: words });

/** Only what the caller said: a setting that is undefined would hide the default. */
export function signInSettingsOf(given: z.output<typeof signInSettings> = {}): SignInSettings {
  const { returnUrls, requireAssignment } = given;
  return { ...(returnUrls && { returnUrls }), ...(requireAssignment !== undefined && { requireAssignment }) };
}

const textExpected = z.string({ error: 'Text is expected.' }).max(2000, 'At most 2000 characters are allowed.');

export const codeExchange = z
  .strictObject(
    {
      code: textExpected.meta({ description: 'What came back with the browser' }),
      tenant: textExpected.optional().meta({ description: 'The id that the sign-in began with; another is refused' }),
      returnTo: textExpected.optional().meta({ description: 'The `return_to` that it began with; another is refused' }),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'A JSON object is expected.' : undefined) },
  )
  .meta({ id: 'CodeExchange' });

const uuid = z.string().meta({ format: 'uuid' });
const time = z.string().meta({ format: 'date-time' });

export const signedIn = z
  .strictObject({
    tenant: z.string().meta({ description: 'The environment: keep the person under it, and under no other' }),
    entraTenantId: uuid,
    tid: uuid.meta({ description: 'Of the id_token: the directory that was signed in to, of guests too' }),
    oid: uuid.meta({ description: 'Of the id_token: `user.id`. With `tid` the key of the person' }),
    user,
    groups: z
      .array(group.extend({ direct: z.boolean().meta({ description: 'Not through another group alone' }) }))
      .meta({ description: 'All of them, nested ones included, from the mirror as it stands now' }),
    returnTo: z.string(),
    signedInAt: time,
    authTime: time.nullable().meta({
      description:
        'When the person proved who they are to Microsoft; null unless the registration asks for `auth_time`',
    }),
    asOf: time.meta({ description: 'What Microsoft showed at that time is in' }),
    ageSeconds: z.int(),
  })
  .meta({ id: 'SignedIn' });
