import { DIRECTORY_PERMISSIONS } from '../domain/names.ts';

/** Ids are the same in every directory (3.9). Only permissions that matter to us are named. */
export const PERMISSION_BY_ROLE_ID: ReadonlyMap<string, string> = new Map([
  ['df021288-bdef-4463-88db-98f22de89214', 'User.Read.All'],
  ['5b567255-7703-4780-807c-7be8301ae99b', 'Group.Read.All'],
  ['9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30', 'Application.Read.All'],
  ['7ab1d382-f21e-4acd-a863-ba3e13f7da61', 'Directory.Read.All'],
]);

/** Some permissions contain others: a customer who granted more than was asked for misses nothing. */
const CONTAINS: Readonly<Record<string, readonly string[]>> = {
  'Directory.Read.All': DIRECTORY_PERMISSIONS,
  'Directory.ReadWrite.All': DIRECTORY_PERMISSIONS,
  'User.ReadWrite.All': ['User.Read.All'],
  'Group.ReadWrite.All': ['Group.Read.All'],
  'Application.ReadWrite.All': ['Application.Read.All'],
};

/** Of the profile's permissions, those that the granted ones neither are nor contain. */
export function missingOf(granted: readonly string[]): readonly string[] {
  const held = new Set(
    granted.flatMap((name) => [name, ...(Object.hasOwn(CONTAINS, name) ? (CONTAINS[name] ?? []) : [])]),
  );
  return DIRECTORY_PERMISSIONS.filter((name) => !held.has(name));
}
