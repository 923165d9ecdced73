import { hash32, Random } from '../random.ts';
import type { DirectoryRecord, Json } from './directory-record.ts';
import { DEPARTMENTS, JOB_TITLES, OFFICES, PERSON_NAMES, USAGE_LOCATIONS, type PersonName } from './names.ts';

/** What the generator must know of a tenant to write down one of its users. */
export interface UserSpec {
  readonly seed: number;
  readonly domain: string;
  readonly initialDomain: string;
  /** Parts of the whole, 0 to 1. */
  readonly guests: number;
  readonly disabled: number;
}

/**
 * The first users of every tenant have a part to play; all others come from the seed. Places are fixed so that a person
 * at the sign-in page finds the same accounts in every tenant.
 */
export const CAST = {
  admin: 0,
  privilegedRoleAdmin: 1,
  applicationAdmin: 2,
  member: 3,
  guest: 4,
  disabled: 5,
} as const;

const CAST_NAMES: Readonly<Record<number, PersonName>> = {
  [CAST.admin]: { given: 'Ada', family: 'Admin', latin: 'admin', language: 'en-US' },
  [CAST.privilegedRoleAdmin]: { given: 'Priya', family: 'Privileged', latin: 'privileged', language: 'en-US' },
  [CAST.applicationAdmin]: { given: 'Appie', family: 'Application-Admin', latin: 'appadmin', language: 'nl-NL' },
  [CAST.member]: { given: 'Mel', family: 'Member', latin: 'member', language: 'en-US' },
  [CAST.guest]: { given: 'Gus', family: 'Guest', latin: 'guest', language: 'en-US' },
  [CAST.disabled]: { given: 'Dee', family: 'Disabled', latin: 'disabled', language: 'en-US' },
};

const DAY_MS = 86_400_000;
const FIRST_HIRED = Date.UTC(2015, 0, 5, 8, 30);

type Draft = Record<string, Json> & { id: string };

/** Writes down user number `index`; the same spec and index give the same user for ever. */
export function generateUser(spec: UserSpec, index: number, id: string): DirectoryRecord {
  const random = new Random(hash32(spec.seed, 0x75736572, index));
  const cast = CAST_NAMES[index];
  const person = cast ?? random.pick(PERSON_NAMES);
  const guest = cast === undefined ? random.chance(spec.guests) : index === CAST.guest;
  const enabled = cast === undefined ? !random.chance(spec.disabled) : index !== CAST.disabled;
  // The place in the name makes it unique and lets it be found again without an index of names.
  const local = `${person.latin}${index}`;
  const day = random.int(3600);
  // Properties are set on one object in one order: a million of these are written down, and copies would cost most.
  const draft: Draft = {
    id,
    displayName: person.familyFirst ? `${person.family}${person.given}` : `${person.given} ${person.family}`,
    givenName: person.given,
    surname: person.family,
    accountEnabled: enabled,
    createdDateTime: new Date(FIRST_HIRED + day * DAY_MS + random.int(86_400) * 1000)
      .toISOString()
      .replace('.000Z', 'Z'),
    businessPhones: [],
  };
  if (guest) describeGuest(draft, spec, local, random);
  else describeMember(draft, spec, local, random, person.language, index);
  return draft;
}

function describeGuest(draft: Draft, spec: UserSpec, local: string, random: Random): void {
  const mail = `${local}@partner.example`;
  draft['userPrincipalName'] = `${local}_partner.example#EXT#@${spec.initialDomain}`;
  draft['mail'] = mail;
  draft['mailNickname'] = `${local}_partner.example#EXT#`;
  draft['otherMails'] = [mail];
  draft['proxyAddresses'] = [`SMTP:${mail}`];
  draft['userType'] = 'Guest';
  draft['creationType'] = 'Invitation';
  draft['externalUserState'] = random.chance(0.2) ? 'PendingAcceptance' : 'Accepted';
}

/** Most properties are unset in a part of every real directory, and delta leaves out what was never set. */
function describeMember(
  draft: Draft,
  spec: UserSpec,
  local: string,
  random: Random,
  language: string,
  index: number,
): void {
  const address = `${local}@${spec.domain}`;
  draft['userPrincipalName'] = address;
  draft['mailNickname'] = local;
  draft['userType'] = 'Member';
  draft['usageLocation'] = random.pick(USAGE_LOCATIONS);
  draft['department'] = random.pick(DEPARTMENTS);
  draft['jobTitle'] = random.pick(JOB_TITLES);
  if (random.chance(0.85)) {
    draft['mail'] = address;
    draft['proxyAddresses'] = [`SMTP:${address}`, `smtp:${local}@${spec.initialDomain}`];
  }
  if (random.chance(0.3)) draft['otherMails'] = [`${local}@private.example`];
  if (random.chance(0.7)) draft['employeeId'] = String(100_000 + index);
  if (random.chance(0.5)) draft['officeLocation'] = random.pick(OFFICES);
  if (random.chance(0.6)) draft['preferredLanguage'] = language;
  if (random.chance(0.4)) draft['companyName'] = 'Contoso Ltd.';
  if (random.chance(0.3)) draft['mobilePhone'] = `+1 425 555 ${String(index % 10_000).padStart(4, '0')}`;
  if (random.chance(0.4)) {
    draft['onPremisesSyncEnabled'] = true;
    draft['onPremisesImmutableId'] = Buffer.from(draft.id).toString('base64').slice(0, 24);
    draft['onPremisesExtensionAttributes'] = { extensionAttribute1: random.chance(0.5) ? 'Contractor' : 'Employee' };
  }
  if (random.chance(0.6)) {
    draft['assignedLicenses'] = [{ disabledPlans: [], skuId: '05e9a617-0261-4cee-bb44-138d3ef5d965' }];
  }
}
