import { guidFrom, hash32, hashText } from '../random.ts';
import type { DirectoryRecord } from './directory-record.ts';
import type { Population } from './directory.ts';
import { generateGroup } from './generate-group.ts';
import { generateMembers } from './generate-members.ts';
import { generateUser, type UserSpec } from './generate-user.ts';
import { indexOf, kindOf, type ObjectRef } from './object-ref.ts';

/** What a tenant of the generator looks like. */
export interface DirectorySpec {
  readonly seed: number;
  readonly domain: string;
  readonly initialDomain: string;
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
  /** Parts of all users, 0 to 1. */
  readonly guests: number;
  readonly disabled: number;
  readonly nestedCycles: number;
  readonly devices: number;
  readonly servicePrincipals: number;
  readonly orgContacts: number;
}

/** A directory of any size made from a seed: records are computed, only memberships are kept. */
export function generatePopulation(spec: DirectorySpec): Population {
  const seed = hash32(spec.seed, hashText(spec.domain));
  const sizes = {
    user: spec.users,
    group: spec.groups,
    device: spec.devices,
    servicePrincipal: spec.servicePrincipals,
    orgContact: spec.orgContacts,
  };
  const userSpec: UserSpec = { ...spec, seed };
  return {
    seed,
    sizes,
    members: generateMembers({ seed, sizes, memberships: spec.memberships, nestedCycles: spec.nestedCycles }),
    managerOf: (index) => managerOf(seed, index),
    record: (ref, id) => generateRecord(userSpec, ref, id),
  };
}

function generateRecord(spec: UserSpec, ref: ObjectRef, id: string): DirectoryRecord {
  const index = indexOf(ref);
  switch (kindOf(ref)) {
    case 'user':
      return generateUser(spec, index, id);
    case 'group':
      return generateGroup(spec.seed, spec.domain, index, id);
    case 'device':
      return {
        id,
        displayName: `LAPTOP-${index}`,
        deviceId: guidFrom(spec.seed, 0x646576, index),
        accountEnabled: true,
        operatingSystem: index % 3 === 0 ? 'iOS' : 'Windows',
        operatingSystemVersion: '10.0.22631',
        trustType: 'AzureAd',
      };
    case 'servicePrincipal':
      return {
        id,
        appId: guidFrom(spec.seed, 0x7370, index),
        displayName: `Line of business app ${index}`,
        accountEnabled: true,
        appRoleAssignmentRequired: false,
        servicePrincipalType: 'Application',
      };
    case 'orgContact':
      return {
        id,
        displayName: `Contact ${index}`,
        mail: `contact${index}@supplier.example`,
        mailNickname: `contact${index}`,
        proxyAddresses: [`SMTP:contact${index}@supplier.example`],
      };
    default:
      throw new Error(`no generator for ${String(ref)}`);
  }
}

/** A tree of about eight reports each: the manager of a user always stands before it. */
function managerOf(seed: number, index: number): number | undefined {
  if (index === 0 || hash32(seed, 5, index) % 10 === 0) return undefined;
  return Math.floor((index - 1) / 8);
}
