import { AppGrants } from './app-grants.ts';
import type { Clock } from './clock.ts';
import { textOf } from './directory/directory-record.ts';
import { Directory } from './directory/directory.ts';
import { CAST } from './directory/generate-user.ts';
import { generatePopulation } from './directory/generator.ts';
import { currentView, LaggedView, type DirectoryView } from './directory/lagged-view.ts';
import { indexOf, refOf, type ObjectRef } from './directory/object-ref.ts';
import { Latency } from './latency.ts';
import { CONSENTING_ROLES, DIRECTORY_ROLES } from './permissions.ts';
import { guidFrom, hashText } from './random.ts';
import { applySettings, DEFAULT_SETTINGS, type SettingsPatch, type TenantSettings } from './tenant-settings.ts';

/** What a new tenant is made from; all but the domain has a default. */
export interface TenantSpec {
  readonly id?: string | undefined;
  readonly seed?: number | undefined;
  readonly domain: string;
  readonly displayName?: string | undefined;
  readonly users?: number | undefined;
  readonly groups?: number | undefined;
  readonly memberships?: number | undefined;
  readonly guests?: number | undefined;
  readonly disabled?: number | undefined;
  readonly nestedCycles?: number | undefined;
  readonly devices?: number | undefined;
  readonly servicePrincipals?: number | undefined;
  readonly orgContacts?: number | undefined;
  readonly settings?: SettingsPatch | undefined;
}

/** An account that a person could sign in with. */
export interface Account {
  readonly ref: ObjectRef;
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly part: string;
}

/** One customer's directory and all that Microsoft keeps about it. */
export class Tenant {
  readonly id: string;
  readonly domain: string;
  readonly initialDomain: string;
  readonly displayName: string;
  readonly createdDateTime = '2019-04-01T09:00:00Z';
  readonly directory: Directory;
  readonly grants: AppGrants;
  settings: TenantSettings;
  latency: Latency;
  readonly #clock: Clock;
  readonly #roles = new Map<ObjectRef, readonly string[]>();

  constructor(spec: TenantSpec, clock: Clock, initialDomain: string) {
    this.#clock = clock;
    const seed = spec.seed ?? 1;
    this.domain = spec.domain.toLowerCase();
    this.id = spec.id?.toLowerCase() ?? guidFrom(seed, hashText(this.domain), 0x7469);
    const label = this.domain.split('.')[0] ?? 'tenant';
    this.initialDomain = initialDomain;
    this.displayName = spec.displayName ?? label.charAt(0).toUpperCase() + label.slice(1);
    this.settings = applySettings(DEFAULT_SETTINGS, spec.settings ?? {});
    this.latency = new Latency(this.settings.latencyMs);
    const users = Math.max(spec.users ?? 40, Object.keys(CAST).length);
    const groups = spec.groups ?? Math.ceil(users / 8);
    const population = generatePopulation({
      seed,
      domain: this.domain,
      initialDomain: this.initialDomain,
      users,
      groups,
      memberships: spec.memberships ?? users * 3,
      guests: spec.guests ?? 0.06,
      disabled: spec.disabled ?? 0.05,
      nestedCycles: spec.nestedCycles ?? (groups >= 3 ? 1 : 0),
      devices: spec.devices ?? Math.ceil(users / 10),
      servicePrincipals: spec.servicePrincipals ?? 3,
      orgContacts: spec.orgContacts ?? 3,
    });
    this.directory = new Directory(population, clock);
    this.grants = new AppGrants(this.directory, clock);
    this.#roles.set(refOf('user', CAST.admin), [DIRECTORY_ROLES.globalAdministrator]);
    this.#roles.set(refOf('user', CAST.privilegedRoleAdmin), [DIRECTORY_ROLES.privilegedRoleAdministrator]);
    this.#roles.set(refOf('user', CAST.applicationAdmin), [DIRECTORY_ROLES.applicationAdministrator]);
  }

  /** What reads see: the directory as it is, or as a lagging replica has it. */
  readView(): DirectoryView {
    const { readLagMs } = this.settings;
    return readLagMs > 0 ? new LaggedView(this.directory, this.#clock.now() - readLagMs) : currentView(this.directory);
  }

  configure(patch: SettingsPatch): void {
    this.settings = applySettings(this.settings, patch);
    if (patch.latencyMs !== undefined) this.latency = new Latency(patch.latencyMs);
    this.directory.log.silent = this.settings.silentChanges;
  }

  hasDomain(domain: string): boolean {
    const wanted = domain.toLowerCase();
    return wanted === this.domain || wanted === this.initialDomain;
  }

  /** Directory roles of a user by template id; every member has the one of an ordinary user. */
  rolesOf(user: ObjectRef): readonly string[] {
    return [...(this.#roles.get(user) ?? []), DIRECTORY_ROLES.user];
  }

  setRoles(user: ObjectRef, roles: readonly string[]): void {
    this.#roles.set(user, roles);
  }

  mayConsent(user: ObjectRef): boolean {
    return this.rolesOf(user).some((role) => CONSENTING_ROLES.includes(role));
  }

  /** The accounts that a sign-in page offers. */
  accounts(): Account[] {
    return Object.entries(CAST).flatMap(([part, index]) => {
      const ref = refOf('user', index);
      return this.directory.isLive(ref) ? [this.account(ref, part)] : [];
    });
  }

  account(ref: ObjectRef, part = partOf(ref)): Account {
    const record = this.directory.record(ref);
    return {
      ref,
      id: record.id,
      userPrincipalName: textOf(record, 'userPrincipalName') ?? record.id,
      displayName: textOf(record, 'displayName') ?? '',
      part,
    };
  }

  /** A user by object id, principal name or (for a guest) mail address. */
  findAccount(name: string): ObjectRef | undefined {
    const byId = this.directory.find(name);
    if (byId !== undefined && this.directory.isLive(byId)) return byId;
    return this.directory.findByPrincipalName(name);
  }
}

function partOf(ref: ObjectRef): string {
  const entry = Object.entries(CAST).find(([, index]) => index === indexOf(ref));
  return entry?.[0] ?? 'user';
}
