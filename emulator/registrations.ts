import { randomUUID } from 'node:crypto';
import type { ThrottleSetting } from './graph/resource-budgets.ts';

/** A secret of an app registration; what Microsoft compares is the value, not the id. */
export interface AppSecret {
  readonly keyId: string;
  readonly value: string;
  /** Milliseconds on the emulator's clock; null never expires. */
  readonly expiresAt: number | null;
}

/** Another issuer whose tokens prove that they are the application (workload identity federation). */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** The issuer's public key in PEM. */
  readonly publicKey: string;
}

/** A multi-tenant app registration: one credential, used against every customer's tenant. */
export interface AppRegistration {
  readonly clientId: string;
  readonly displayName: string;
  readonly homeTenantId: string;
  readonly secrets: readonly AppSecret[];
  /** Certificates in PEM whose private keys sign assertions. */
  readonly certificates: readonly string[];
  readonly federatedCredentials: readonly FederatedCredential[];
  readonly redirectUris: readonly string[];
  /** `requiredResourceAccess`: what `/.default` and the v1 consent endpoint ask for. */
  readonly applicationPermissions: readonly string[];
  readonly delegatedPermissions: readonly string[];
  /** Whether id_tokens carry `wids`; real registrations may have to ask for the claim. */
  readonly widsInIdToken: boolean;
  readonly tokenLifetimeSeconds: number;
  /** The resource units of the application in all tenants together; null counts nothing, `{}` has Microsoft's figures. */
  readonly throttle: ThrottleSetting | null;
}

/** Well known on purpose: the demo starts without being told anything. They open nothing but an emulator. */
export const DEFAULT_CLIENT_ID = '6731de76-14a6-49ae-97bc-6eba6914391e';
export const DEFAULT_CLIENT_SECRET = 'emulator~secret-for-local-use-only';
export const DEFAULT_REDIRECT_URIS = [
  'http://localhost:8080/consent/callback',
  'http://localhost:8080/signin/callback',
] as const;

export type RegistrationInput = { readonly [K in keyof AppRegistration]?: AppRegistration[K] | undefined };

export function makeRegistration(input: RegistrationInput = {}): AppRegistration {
  return {
    clientId: input.clientId?.toLowerCase() ?? randomUUID(),
    displayName: input.displayName ?? 'entra-sync',
    homeTenantId: input.homeTenantId ?? 'f0e1d2c3-b4a5-4697-8879-6a5b4c3d2e1f',
    secrets: input.secrets ?? [{ keyId: randomUUID(), value: DEFAULT_CLIENT_SECRET, expiresAt: null }],
    certificates: input.certificates ?? [],
    federatedCredentials: input.federatedCredentials ?? [],
    redirectUris: input.redirectUris ?? DEFAULT_REDIRECT_URIS,
    applicationPermissions: input.applicationPermissions ?? ['User.Read.All', 'Group.Read.All', 'Application.Read.All'],
    delegatedPermissions: input.delegatedPermissions ?? ['openid', 'profile', 'User.Read'],
    widsInIdToken: input.widsInIdToken ?? true,
    tokenLifetimeSeconds: input.tokenLifetimeSeconds ?? 3599,
    throttle: input.throttle ?? null,
  };
}
