/** Microsoft Graph's own application id, the same in every tenant. */
export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';

/** Application permissions and their app role ids (permissions reference of Graph). */
export const APPLICATION_PERMISSIONS: Readonly<Record<string, string>> = {
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214',
  'Group.Read.All': '5b567255-7703-4780-807c-7be8301ae99b',
  'GroupMember.Read.All': '98830695-27a2-44f7-8c18-0c3ebc9698f6',
  'Directory.Read.All': '7ab1d382-f21e-4acd-a863-ba3e13f7da61',
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
  'Organization.Read.All': '498476ce-e0fe-48b0-b801-37ba7e2685c6',
  'Mail.Read': '810c84a8-4a9e-49e6-bf7d-12d183f40d01',
  'Mail.ReadBasic': '6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a',
  'Mail.ReadBasic.All': '693c5e45-0940-467d-9b8a-1022fb9d42ef',
  'Calendars.Read': '798ee544-9d2d-430c-a058-570e29e34338',
  'MailboxSettings.Read': '40f97065-369a-49f4-947c-6a255697ae91',
  'Contacts.Read': '089fe4d0-434a-44c5-8827-41ba8a0b17f5',
};

/** Delegated permissions and their scope ids. */
export const DELEGATED_PERMISSIONS: Readonly<Record<string, string>> = {
  openid: '37f7f235-527c-4136-accd-4a02d197296e',
  profile: '14dad69e-099b-42c9-810b-d002981feec1',
  email: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0',
  offline_access: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
  'User.Read': 'e1fe6dd8-ba31-4d61-89e7-88639da4683d',
};

/** Words a consent page uses for a permission. */
export const PERMISSION_TITLES: Readonly<Record<string, string>> = {
  'User.Read.All': "Read all users' full profiles",
  'Group.Read.All': 'Read all groups',
  'GroupMember.Read.All': 'Read all group memberships',
  'Directory.Read.All': 'Read directory data',
  'Application.Read.All': 'Read all applications',
  'Organization.Read.All': 'Read organization information',
  'Mail.Read': 'Read mail in all mailboxes',
  'Calendars.Read': 'Read calendars in all mailboxes',
  openid: 'Sign users in',
  profile: "View users' basic profile",
  email: "View users' email address",
  offline_access: 'Maintain access to data you have given it access to',
  'User.Read': 'Sign in and read user profile',
};

/** Built-in directory roles by their template ids, as `wids` names them. */
export const DIRECTORY_ROLES = {
  globalAdministrator: '62e90394-69f5-4237-9190-012177145e10',
  privilegedRoleAdministrator: 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  applicationAdministrator: '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  cloudApplicationAdministrator: '158c047a-c907-4556-b7ef-446551a6b5f7',
  /** What every ordinary member has. */
  user: 'b79fbf4d-3ef9-4689-8143-76b194e85509',
} as const;

/** Only these may grant application permissions of Graph to a whole tenant. */
export const CONSENTING_ROLES: readonly string[] = [
  DIRECTORY_ROLES.globalAdministrator,
  DIRECTORY_ROLES.privilegedRoleAdministrator,
];
