import { Random } from '../random.ts';
import type { Directory } from './directory.ts';
import { CAST } from './generate-user.ts';
import { DEPARTMENTS, JOB_TITLES } from './names.ts';
import { indexOf, kindOf, refOf, type ObjectKind, type ObjectRef } from './object-ref.ts';

export const MUTATIONS = [
  'updateUser',
  'clearUserProperty',
  'disableUser',
  'enableUser',
  'createUser',
  'deleteUser',
  'restoreUser',
  'purgeUser',
  'updateGroup',
  'createGroup',
  'deleteGroup',
  'restoreGroup',
  'addMember',
  'removeMember',
  'changeManager',
] as const;

export type Mutation = (typeof MUTATIONS)[number];

/** What a mutation did, for a test to compare with. */
export interface DoneMutation {
  readonly mutation: Mutation;
  readonly id: string;
  readonly otherId?: string | undefined;
}

// Everyday changes happen more often than dismissals.
const WEIGHTS: Readonly<Record<Mutation, number>> = {
  updateUser: 25,
  clearUserProperty: 5,
  disableUser: 5,
  enableUser: 4,
  createUser: 8,
  deleteUser: 6,
  restoreUser: 3,
  purgeUser: 2,
  updateGroup: 6,
  createGroup: 2,
  deleteGroup: 1,
  restoreGroup: 1,
  addMember: 18,
  removeMember: 12,
  changeManager: 4,
};

/** Changes a directory at random, the same way for the same seed and state. The accounts of the sign-in page are spared. */
export function mutateAtRandom(
  directory: Directory,
  domain: string,
  count: number,
  seed: number,
  allowed: readonly Mutation[] = MUTATIONS,
): DoneMutation[] {
  const random = new Random(seed);
  const mutator = new Mutator(directory, domain, random);
  const done: DoneMutation[] = [];
  // A mutation may find nothing to do, so there are more tries than mutations asked for.
  for (let tries = 0; done.length < count && tries < count * 20; tries += 1) {
    const result = mutator.apply(pickWeighted(random, allowed));
    if (result !== undefined) done.push(result);
  }
  return done;
}

function pickWeighted(random: Random, allowed: readonly Mutation[]): Mutation {
  const total = allowed.reduce((sum, mutation) => sum + WEIGHTS[mutation], 0);
  let at = random.next() * total;
  for (const mutation of allowed) {
    at -= WEIGHTS[mutation];
    if (at < 0) return mutation;
  }
  return allowed[0] ?? 'updateUser';
}

class Mutator {
  readonly #directory: Directory;
  readonly #domain: string;
  readonly #random: Random;

  constructor(directory: Directory, domain: string, random: Random) {
    this.#directory = directory;
    this.#domain = domain;
    this.#random = random;
  }

  apply(mutation: Mutation): DoneMutation | undefined {
    const done = (ref: ObjectRef | undefined, other?: ObjectRef): DoneMutation | undefined =>
      ref === undefined
        ? undefined
        : {
            mutation,
            id: this.#directory.idOf(ref),
            ...(other === undefined ? {} : { otherId: this.#directory.idOf(other) }),
          };
    switch (mutation) {
      case 'addMember':
      case 'removeMember': {
        const changed = this.#membership(mutation === 'addMember');
        return changed === undefined ? undefined : done(changed.group, changed.member);
      }
      case 'createUser':
      case 'createGroup':
        return done(this.#create(mutation === 'createUser' ? 'user' : 'group'));
      case 'restoreUser':
      case 'restoreGroup':
      case 'purgeUser':
        return done(this.#revive(mutation));
      case 'updateGroup':
      case 'deleteGroup':
        return done(this.#changeGroup(mutation));
      default:
        return done(this.#changeUser(mutation));
    }
  }

  #live(kind: ObjectKind): ObjectRef | undefined {
    const spared = kind === 'user' ? Object.keys(CAST).length : 0;
    const size = this.#directory.size(kind);
    if (size <= spared) return undefined;
    for (let tries = 0; tries < 30; tries += 1) {
      const ref = refOf(kind, spared + this.#random.int(size - spared));
      if (this.#directory.isLive(ref)) return ref;
    }
    return undefined;
  }

  #changeUser(mutation: Mutation): ObjectRef | undefined {
    const ref = this.#live('user');
    if (ref === undefined) return undefined;
    if (mutation === 'deleteUser') {
      this.#directory.delete(ref);
      return ref;
    }
    if (mutation === 'changeManager') {
      const manager = this.#random.chance(0.2) ? undefined : this.#live('user');
      if (manager === ref || manager === this.#directory.managerOf(ref)) return undefined;
      this.#directory.setManager(ref, manager);
      return ref;
    }
    const patches = {
      updateUser: {
        jobTitle: `${this.#random.pick(JOB_TITLES)} ${this.#random.int(1000)}`,
        department: this.#random.pick(DEPARTMENTS),
      },
      clearUserProperty: { jobTitle: null, officeLocation: null },
      disableUser: { accountEnabled: false },
      enableUser: { accountEnabled: true },
    };
    const patch = mutation in patches ? patches[mutation as keyof typeof patches] : patches.updateUser;
    return this.#directory.update(ref, patch).length > 0 ? ref : undefined;
  }

  #changeGroup(mutation: 'updateGroup' | 'deleteGroup'): ObjectRef | undefined {
    const ref = this.#live('group');
    if (ref === undefined) return undefined;
    if (mutation === 'deleteGroup') this.#directory.delete(ref);
    else this.#directory.update(ref, { description: `Changed ${this.#random.int(1_000_000)}` });
    return ref;
  }

  #create(kind: 'user' | 'group'): ObjectRef {
    const name = `new${kind}${this.#directory.size(kind)}`;
    const common = { displayName: `New ${kind} ${this.#directory.size(kind)}`, mailNickname: name };
    if (kind === 'group') {
      const group = { groupTypes: [], mailEnabled: false, securityEnabled: true, proxyAddresses: [] };
      return this.#directory.create('group', { ...common, ...group });
    }
    const user = { userPrincipalName: `${name}@${this.#domain}`, userType: 'Member', accountEnabled: true };
    return this.#directory.create('user', { ...common, ...user, businessPhones: [] });
  }

  #revive(mutation: 'restoreUser' | 'restoreGroup' | 'purgeUser'): ObjectRef | undefined {
    const kind = mutation === 'restoreGroup' ? 'group' : 'user';
    const [first, ...rest] = this.#directory.withStatus(kind, 'softDeleted');
    if (first === undefined) return undefined;
    const ref = this.#random.pick([first, ...rest]);
    if (mutation === 'purgeUser') this.#directory.purge(ref);
    else this.#directory.restore(ref);
    return ref;
  }

  #membership(add: boolean): { readonly group: ObjectRef; readonly member: ObjectRef } | undefined {
    const group = this.#live('group');
    if (group === undefined) return undefined;
    if (add) {
      const member = this.#random.chance(0.9) ? this.#live('user') : this.#live('group');
      if (member === undefined || member === group) return undefined;
      return this.#directory.addMember(group, member) ? { group, member } : undefined;
    }
    const members = [...this.#directory.memberships.membersOf(indexOf(group))].filter(
      (member) => this.#directory.isLive(member) || kindOf(member) === 'user',
    );
    const member = members[this.#random.int(members.length)];
    if (member === undefined) return undefined;
    return this.#directory.removeMember(group, member) ? { group, member } : undefined;
  }
}
