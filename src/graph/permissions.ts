/** Ids are the same in every directory (3.9). Only permissions that matter to us are named. */
export const PERMISSION_BY_ROLE_ID: ReadonlyMap<string, string> = new Map([
  ['df021288-bdef-4463-88db-98f22de89214', 'User.Read.All'],
  ['5b567255-7703-4780-807c-7be8301ae99b', 'Group.Read.All'],
  ['9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30', 'Application.Read.All'],
  ['7ab1d382-f21e-4acd-a863-ba3e13f7da61', 'Directory.Read.All'],
  ['810c84a8-4a9e-49e6-bf7d-12d183f40d01', 'Mail.Read'],
  ['798ee544-9d2d-430c-a058-570e29e34338', 'Calendars.Read'],
]);
