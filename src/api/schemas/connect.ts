import * as z from 'zod';
import { PROFILES, type Profile } from '../../domain/permissions.ts';
import type { Presentation } from '../../store/face/tenants.ts';
import { readableText } from './fields.ts';

const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** An address that a page may show: its host becomes part of a policy header, where a semicolon would begin another rule. */
function isHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  return protocol === 'https:' && username === '' && password === '' && HOST.test(hostname);
}

const MAIL = /^[a-z0-9.!#$&'*+/=^_`{|}~-]{1,64}@(?=.{4,253}$)([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/i;

const httpsUrl = readableText(2048)
  .refine(isHttps, 'An https URL is expected, without user name and password.')
  .transform((text) => new URL(text).href);

/** The settings of the pages for the customer's administrator. */
export const connectSettings = {
  profiles: z
    .array(z.enum(PROFILES, `Profiles are ${PROFILES.join(', ')}.`), { error: 'A list of profiles is expected.' })
    .max(PROFILES.length * 2)
    .transform((given): Profile[] => PROFILES.filter((name) => name === 'directory' || given.includes(name)))
    .optional()
    .meta({ description: 'What is asked for: `directory` always, and `mail`, `calendar`', example: ['directory'] }),
  logoUrl: httpsUrl.nullable().optional().meta({ description: 'An image that browsers load; we never do' }),
  returnUrl: httpsUrl.nullable().optional().meta({ description: 'Back to the product' }),
  owner: readableText(200).nullable().optional().meta({ description: 'Who runs the product' }),
  contact: readableText(320)
    .refine((text) => MAIL.test(text) || isHttps(text), 'A mail address or an https URL is expected.')
    .nullable()
    .optional()
    .meta({ description: 'Where the owner is reached: a mail address, or a page' }),
};

export const connectShown = {
  profiles: z.array(z.enum(PROFILES)),
  logoUrl: z.string().nullable(),
  returnUrl: z.string().nullable(),
  owner: z.string().nullable(),
  contact: z.string().nullable(),
};

const WORDS = ['logoUrl', 'returnUrl', 'owner', 'contact'] as const;
type Given = { readonly [K in (typeof WORDS)[number]]?: string | null | undefined };

/** What stands, with what was said now: null clears, and what is left out stays. */
export function presentationOf(given: Given, standing: Presentation = {}): Presentation {
  const words = WORDS.map((word) => [word, given[word] === undefined ? standing[word] : given[word]] as const);
  return Object.fromEntries(words.filter(([, text]) => text !== undefined && text !== null));
}

export const shownOf = (presentation: Presentation) => ({
  logoUrl: presentation.logoUrl ?? null,
  returnUrl: presentation.returnUrl ?? null,
  owner: presentation.owner ?? null,
  contact: presentation.contact ?? null,
});
