import { permissionsOf } from '../../domain/permissions.ts';
import type { TenantRow } from '../../store/face/tenants.ts';

/** Microsoft's permissions in words: what is read, and what is not although it could be. */
const WORDS: Readonly<Record<string, string>> = {
  'User.Read.All':
    'Read the people of your directory: names, addresses, job details, and whether an account is enabled.',
  'Group.Read.All':
    "Read groups and who is in them. Microsoft's permission covers the groups' conversations and files too; these are not read.",
  'Application.Read.All': 'Read which permissions were granted, to tell you when one is missing.',
  'Mail.Read':
    'Read mail in all mailboxes. Nothing of it is read yet: it is asked for so that you need not be asked again.',
  'Calendars.Read':
    'Read calendars of all mailboxes. Nothing of them is read yet: it is asked for so that you need not be asked again.',
  'openid, profile': 'See who signs in, to make sure that an administrator of your directory did.',
};

/** In words, or by its name where there are none. */
export const inWords = (permission: string): string => WORDS[permission] ?? permission;

export function Permissions({ tenant }: { readonly tenant: TenantRow }) {
  return (
    <ul class="plain">
      {[...permissionsOf(tenant.profiles), 'openid, profile'].map((name) => (
        <li>
          {inWords(name)} <small>{name}</small>
        </li>
      ))}
    </ul>
  );
}
