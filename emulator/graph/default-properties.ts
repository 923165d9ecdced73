import { METADATA } from './metadata.ts';

/** What a list or a GET returns of a type when nothing is selected (list users and list groups pages of Graph). */
const USER = (
  'businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage ' +
  'surname userPrincipalName'
).split(' ');

const GROUP = (
  'id deletedDateTime classification createdDateTime description displayName expirationDateTime ' +
  'groupTypes isAssignableToRole mail mailEnabled mailNickname membershipRule ' +
  'membershipRuleProcessingState onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName ' +
  'onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation ' +
  'preferredLanguage proxyAddresses renewedDateTime resourceBehaviorOptions ' +
  'resourceProvisioningOptions securityEnabled securityIdentifier theme uniqueName visibility ' +
  'onPremisesProvisioningErrors serviceProvisioningErrors'
).split(' ');

/** Returned only when they are selected by name. */
const SELECT_ONLY = new Set(['customSecurityAttributes', 'isManagementRestricted', 'createdByAppId', 'isDisabled']);

export function defaultProperties(type: string): readonly string[] {
  if (type === 'user') return USER;
  if (type === 'group') return GROUP;
  return METADATA.propertyNames(type).filter((name) => !SELECT_ONLY.has(name));
}

/** Kept outside the directory, so a collection cannot return them: 501 (list users page). */
export const NOT_IN_COLLECTIONS: ReadonlySet<string> = new Set(
  (
    'aboutMe birthday hireDate interests mySite pastProjects preferredName responsibilities schools ' +
    'skills mailboxSettings'
  ).split(' '),
);
