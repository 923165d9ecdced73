import { Clock } from './clock.ts';
import { FaultRules } from './faults.ts';
import { ResourceBudgets } from './graph/resource-budgets.ts';
import { Notifications } from './notifications/notifications.ts';
import { Sealer } from './sealer.ts';
import { AuthorizationCodes } from './login/authorization-codes.ts';
import { DEFAULT_CLIENT_ID, makeRegistration, type AppRegistration, type RegistrationInput } from './registrations.ts';
import { RequestLog } from './request-log.ts';
import type { SigningKeys } from './signing-keys.ts';
import { Tenant, type TenantSpec } from './tenant.ts';

/** Everything the emulator knows. Rooms receive it as an argument; nothing of it is global. */
export class World {
  readonly clock = new Clock();
  readonly faults = new FaultRules();
  readonly budgets = new ResourceBudgets(this.clock);
  readonly requests = new RequestLog();
  readonly codes = new AuthorizationCodes();
  readonly notifications = new Notifications(this.clock);
  readonly tenants = new Map<string, Tenant>();
  readonly registrations = new Map<string, AppRegistration>();
  readonly keys: SigningKeys;
  readonly sealer: Sealer;
  readonly seed: number;
  /** Set once the https port is known; every issuer stands on it, whichever port a request came by. */
  issuerOrigin = 'https://localhost';

  constructor(keys: SigningKeys, seed: number) {
    this.keys = keys;
    this.seed = seed;
    this.sealer = new Sealer(seed);
  }

  addTenant(spec: TenantSpec): Tenant {
    const domain = spec.domain.toLowerCase();
    const label = domain.split('.')[0] ?? domain;
    // contoso.com and contoso.de cannot both be contoso.onmicrosoft.com.
    const taken = this.findTenant(`${label}.onmicrosoft.com`) !== undefined;
    const initial = `${taken ? domain.replaceAll('.', '') : label}.onmicrosoft.com`;
    const tenant = new Tenant({ ...spec, seed: spec.seed ?? this.seed }, this.clock, initial);
    this.tenants.set(tenant.id, tenant);
    tenant.directory.onChange((change) => this.notifications.changed(tenant, change));
    return tenant;
  }

  /** Back to nothing; the keys stay, so that a client need not fetch them again. */
  clear(): void {
    this.clock.reset();
    this.faults.clear();
    this.budgets.clear();
    this.requests.clear();
    this.tenants.clear();
    this.notifications.clear();
    this.registrations.clear();
  }

  /** By GUID or by one of its domains. */
  findTenant(name: string): Tenant | undefined {
    const wanted = name.toLowerCase();
    const byId = this.tenants.get(wanted);
    if (byId !== undefined) return byId;
    return [...this.tenants.values()].find((tenant) => tenant.hasDomain(wanted));
  }

  register(input: RegistrationInput): AppRegistration {
    const old = this.registrations.get((input.clientId ?? DEFAULT_CLIENT_ID).toLowerCase());
    const merged = { ...old, ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) };
    const registration = makeRegistration({ clientId: DEFAULT_CLIENT_ID, ...merged });
    this.registrations.set(registration.clientId, registration);
    return registration;
  }

  registration(clientId: string): AppRegistration | undefined {
    return this.registrations.get(clientId.toLowerCase());
  }
}
