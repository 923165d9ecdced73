import { GROUP_ATTRIBUTES, USER_ATTRIBUTES, type Feed } from './directory.ts';

/** `any`: a complex value, kept as it came. `reference`: a relationship to one other object, kept as its id. */
export type Shape = 'text' | 'flag' | 'texts' | 'any' | 'reference';

const words = (text: string): readonly string[] => text.split(/\s+/);

const FLAGS = new Set(
  words(
    'accountEnabled onPremisesSyncEnabled mailEnabled securityEnabled isAssignableToRole isResourceAccount showInAddressList',
  ),
);
const TEXT_LISTS = new Set(
  words(
    'otherMails proxyAddresses groupTypes businessPhones imAddresses resourceBehaviorOptions resourceProvisioningOptions',
  ),
);
const COMPLEX = new Set(
  words(
    `assignedLicenses assignedPlans provisionedPlans licenseAssignmentStates identities employeeOrgData authorizationInfo
    onPremisesExtensionAttributes onPremisesProvisioningErrors serviceProvisioningErrors assignedLabels licenseProcessingState`,
  ),
);

/**
 * Of Graph's properties those that a tenant may choose beside the contract's: kept in the directory, tracked by delta query,
 * and readable with the permissions that are asked for (user and group resource types of Graph v1.0).
 */
const CHOICE: Readonly<Record<Feed, ReadonlySet<string>>> = {
  users: new Set(
    words(
      `ageGroup assignedLicenses assignedPlans authorizationInfo businessPhones city consentProvidedForMinor country creationType
      employeeHireDate employeeOrgData employeeType externalUserStateChangeDateTime faxNumber identities imAddresses
      isResourceAccount lastPasswordChangeDateTime legalAgeGroupClassification licenseAssignmentStates manager mobilePhone
      onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId
      onPremisesLastSyncDateTime onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier
      onPremisesUserPrincipalName passwordPolicies postalCode preferredDataLocation provisionedPlans securityIdentifier
      serviceProvisioningErrors showInAddressList signInSessionsValidFromDateTime state streetAddress`,
    ),
  ),
  groups: new Set(
    words(
      `assignedLabels assignedLicenses classification createdDateTime expirationDateTime licenseProcessingState membershipRule
      membershipRuleProcessingState onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName
      onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier preferredDataLocation
      preferredLanguage proxyAddresses renewedDateTime resourceBehaviorOptions resourceProvisioningOptions securityIdentifier
      serviceProvisioningErrors theme uniqueName`,
    ),
  ),
};

/** A directory extension: `extension_{application id without hyphens}_{name}`. */
const EXTENSION = /^extension_[0-9a-f]{32}_\w{1,120}$/i;

/** Attributes of the contract, which every tenant has. */
export const CONTRACT_ATTRIBUTES: Readonly<Record<Feed, readonly string[]>> = {
  users: USER_ATTRIBUTES,
  groups: GROUP_ATTRIBUTES,
};

/** Whether a tenant may choose this attribute beside the contract's. */
export function isSelectable(feed: Feed, name: string): boolean {
  return CHOICE[feed].has(name) || EXTENSION.test(name);
}

export function shapeOf(name: string): Shape {
  if (name === 'manager') return 'reference';
  if (FLAGS.has(name)) return 'flag';
  if (TEXT_LISTS.has(name)) return 'texts';
  return COMPLEX.has(name) || EXTENSION.test(name) ? 'any' : 'text';
}
