import { DIRECTORY_PERMISSIONS } from './names.ts';

/** What a tenant asks for. `directory` is always part of it: nothing works without it. */
export const PROFILES = ['directory', 'mail', 'calendar'] as const;
export type Profile = (typeof PROFILES)[number];

/** Application permissions by profile, the same names in every directory. */
export const PERMISSIONS_OF: Readonly<Record<Profile, readonly string[]>> = {
  directory: DIRECTORY_PERMISSIONS,
  mail: ['Mail.Read'],
  calendar: ['Calendars.Read'],
};

export const permissionsOf = (profiles: readonly Profile[]): readonly string[] =>
  PROFILES.filter((profile) => profile === 'directory' || profiles.includes(profile)).flatMap(
    (profile) => PERMISSIONS_OF[profile],
  );

/** Some permissions contain others: a customer who granted more than was asked for misses nothing. */
const CONTAINS: Readonly<Record<string, readonly string[]>> = {
  'Directory.Read.All': DIRECTORY_PERMISSIONS,
  'Directory.ReadWrite.All': DIRECTORY_PERMISSIONS,
  'User.ReadWrite.All': ['User.Read.All'],
  'Group.ReadWrite.All': ['Group.Read.All'],
  'Application.ReadWrite.All': ['Application.Read.All'],
  'Mail.ReadWrite': ['Mail.Read'],
  'Calendars.ReadWrite': ['Calendars.Read'],
};

/** Of the wanted permissions, those that the granted ones neither are nor contain. */
export function missingOf(granted: readonly string[], wanted: readonly string[]): readonly string[] {
  const held = new Set(
    granted.flatMap((name) => [name, ...(Object.hasOwn(CONTAINS, name) ? (CONTAINS[name] ?? []) : [])]),
  );
  return wanted.filter((name) => !held.has(name));
}

/** What a check of the grant saw last. Times are ISO 8601. */
export interface GrantCheck {
  readonly at: string;
  /** Microsoft accepts the token for users and groups. */
  readonly works: boolean;
  /** Of the tenant's profiles. */
  readonly missing: readonly string[];
}

/** Missing permissions that somebody must grant: without `Application.Read.All` only less can be diagnosed. */
export const neededOf = (missing: readonly string[]): readonly string[] =>
  missing.filter((name) => name !== 'Application.Read.All');
