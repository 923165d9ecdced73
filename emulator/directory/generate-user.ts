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

/** Writes down user number `index`; the same spec and index give the same user for ever. */
export function generateUser(spec: UserSpec, index: number, id: string): DirectoryRecord {
  const random = new Random(hash32(spec.seed, 0x75736572, index));
  const cast = CAST_NAMES[index];
  const person = cast ?? random.pick(PERSON_NAMES);
  const guest = cast === undefined ? random.chance(spec.guests) : index === CAST.guest;
  const enabled = cast === undefined ? !random.chance(spec.disabled) : index !== CAST.disabled;
  // The place in the name makes it unique and lets it be found again without an index of names.
  const local = `${person.latin}${index}`;
  const created = new Date(FIRST_HIRED + random.int(3600) * DAY_MS + random.int(86_400) * 1000);
  const common: Record<string, Json> & { id: string } = {
    id,
    displayName: person.familyFirst ? `${person.family}${person.given}` : `${person.given} ${person.family}`,
    givenName: person.given,
    surname: person.family,
    accountEnabled: enabled,
    createdDateTime: created.toISOString().replace('.000Z', 'Z'),
    businessPhones: [],
  };
  return guest ? guestOf(common, spec, local, random) : memberOf(common, spec, local, random, person.language, index);
}

function guestOf(common: DirectoryRecord, spec: UserSpec, local: string, random: Random): DirectoryRecord {
  const mail = `${local}@partner.example`;
  return {
    ...common,
    userPrincipalName: `${local}_partner.example#EXT#@${spec.initialDomain}`,
    mail,
    mailNickname: `${local}_partner.example#EXT#`,
    otherMails: [mail],
    proxyAddresses: [`SMTP:${mail}`],
    userType: 'Guest',
    creationType: 'Invitation',
    externalUserState: random.chance(0.2) ? 'PendingAcceptance' : 'Accepted',
  };
}

function memberOf(
  common: DirectoryRecord,
  spec: UserSpec,
  local: string,
  random: Random,
  language: string,
  index: number,
): DirectoryRecord {
  const address = `${local}@${spec.domain}`;
  const record: Record<string, Json> & { id: string } = {
    ...common,
    userPrincipalName: address,
    mailNickname: local,
    userType: 'Member',
    usageLocation: random.pick(USAGE_LOCATIONS),
    department: random.pick(DEPARTMENTS),
    jobTitle: random.pick(JOB_TITLES),
  };
  // Most properties are unset in a part of every real directory, and delta leaves out what was never set.
  if (random.chance(0.85)) {
    record['mail'] = address;
    record['proxyAddresses'] = [`SMTP:${address}`, `smtp:${local}@${spec.initialDomain}`];
  }
  if (random.chance(0.3)) record['otherMails'] = [`${local}@private.example`];
  if (random.chance(0.7)) record['employeeId'] = String(100_000 + index);
  if (random.chance(0.5)) record['officeLocation'] = random.pick(OFFICES);
  if (random.chance(0.6)) record['preferredLanguage'] = language;
  if (random.chance(0.4)) record['companyName'] = 'Contoso Ltd.';
  if (random.chance(0.3)) record['mobilePhone'] = `+1 425 555 ${String(index % 10_000).padStart(4, '0')}`;
  if (random.chance(0.4)) {
    record['onPremisesSyncEnabled'] = true;
    record['onPremisesImmutableId'] = Buffer.from(common.id).toString('base64').slice(0, 24);
    record['onPremisesExtensionAttributes'] = { extensionAttribute1: random.chance(0.5) ? 'Contractor' : 'Employee' };
  }
  if (random.chance(0.6)) {
    record['assignedLicenses'] = [{ disabledPlans: [], skuId: '05e9a617-0261-4cee-bb44-138d3ef5d965' }];
  }
  return record;
}
