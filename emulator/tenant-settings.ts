import type { ThrottleSetting } from './graph/resource-budgets.ts';
import type { LatencySetting } from './latency.ts';

/** How delta rounds of a tenant are cut and how long their tokens live. */
export interface DeltaSettings {
  readonly usersPageSize: number;
  readonly groupsPageSize: number;
  /** The most members that one appearance of a group carries. */
  readonly memberSliceSize: number;
  /** The most members on one page, over all its groups. */
  readonly membersPerPage: number;
  readonly lifetimeMs: number;
  /** How a token that is too old is refused; see graph/delta-expiry.ts. */
  readonly expiryShape: ExpiryShape;
  /** Whether a restored group's members are listed again; not documented either way. */
  readonly relistMembersOnRestore: boolean;
}

export const EXPIRY_SHAPES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
export type ExpiryShape = (typeof EXPIRY_SHAPES)[number];

/** What delta query is allowed to do and seldom does: each a probability per page or per object. */
export interface ChaosSettings {
  readonly seed: number;
  /** A page without objects, before the page that was due. */
  readonly emptyPage: number;
  /** An object that the round showed already, shown again on a later page. */
  readonly replay: number;
  /** An object twice on one page. */
  readonly duplicate: number;
  /** An older version of a changed object right before the current one. */
  readonly olderVersion: number;
  /** A first round mentions an object that is deleted; delta query may do so. */
  readonly removedInFirstRound: number;
  /** Objects of a page in any order. */
  readonly shuffle: boolean;
  /** `return=minimal` behaviour although nobody asked for it. */
  readonly unaskedMinimal: boolean;
  /** A created or restored object in a round of changes with what changed and one more of its properties, and no others. */
  readonly firstInPart: number;
}

/** How changes are told; by default at once, in order and once. */
export interface NotificationSettings {
  readonly seed: number;
  /** From a change to its notification; what waits together is sent together. */
  readonly latencyMs: number;
  /** Each a probability per notification. */
  readonly drop: number;
  readonly duplicate: number;
  /** Notifications that wait together in any order. */
  readonly shuffle: boolean;
  /** The wait after the first attempt that was not answered with 2xx; it doubles, for four hours. */
  readonly retryMs: number;
  /** What a slow endpoint waits. */
  readonly slowDelayMs: number;
}

export interface TenantSettings {
  readonly delta: DeltaSettings;
  readonly chaos: ChaosSettings;
  readonly notifications: NotificationSettings;
  /** Before every answer of Graph about this tenant. */
  readonly latencyMs: LatencySetting;
  /** The resource units of an application in this tenant; null counts nothing, `{}` has Microsoft's figures. */
  readonly throttle: ThrottleSetting | null;
  /** Takes `http://` notification addresses on loopback, for receivers under test. Microsoft demands https. */
  readonly allowHttpNotifications: boolean;
  /** Reads and lists are answered from a replica this far behind; delta query is current. */
  readonly readLagMs: number;
  /** Changes from now on are kept from delta query, for good: only a fresh read finds them. */
  readonly silentChanges: boolean;
  /** From consent to a token with roles; the service principal itself is visible after half of it. */
  readonly consentDelayMs: number;
  /** Whom a Conditional Access policy keeps from tokens. */
  readonly blockedByPolicy: readonly ('applications' | 'users')[];
  /** Whether id_tokens of this tenant carry `wids` (if the registration wants them). */
  readonly widsInIdToken: boolean;
  /** How the token endpoint says that the app has no service principal here. */
  readonly missingPrincipalCode: 7000229 | 700016;
  /** Whether Graph refuses still valid tokens of an app whose service principal was deleted. */
  readonly refuseTokensOfDeletedPrincipal: boolean;
  /** Overrides the registration's token lifetime. */
  readonly tokenLifetimeSeconds: number | null;
}

const DAY_MS = 86_400_000;

export const DEFAULT_SETTINGS: TenantSettings = {
  delta: {
    usersPageSize: 200,
    groupsPageSize: 100,
    memberSliceSize: 1000,
    membersPerPage: 4000,
    // Seven days for directory objects (delta query overview).
    lifetimeMs: 7 * DAY_MS,
    expiryShape: 'b',
    relistMembersOnRestore: true,
  },
  chaos: {
    seed: 1,
    emptyPage: 0,
    replay: 0,
    duplicate: 0,
    olderVersion: 0,
    removedInFirstRound: 0,
    shuffle: false,
    unaskedMinimal: false,
    firstInPart: 0,
  },
  notifications: {
    seed: 1,
    latencyMs: 50,
    drop: 0,
    duplicate: 0,
    shuffle: false,
    retryMs: 10_000,
    slowDelayMs: 10 * 60_000,
  },
  latencyMs: 0,
  throttle: null,
  allowHttpNotifications: false,
  readLagMs: 0,
  silentChanges: false,
  consentDelayMs: 0,
  blockedByPolicy: [],
  widsInIdToken: true,
  missingPrincipalCode: 7000229,
  refuseTokensOfDeletedPrincipal: false,
  tokenLifetimeSeconds: null,
};

type Partially<T> = { readonly [K in keyof T]?: T[K] | undefined };
export type SettingsPatch = Partially<Omit<TenantSettings, 'delta' | 'chaos' | 'notifications'>> & {
  readonly delta?: Partially<DeltaSettings> | undefined;
  readonly chaos?: Partially<ChaosSettings> | undefined;
  readonly notifications?: Partially<NotificationSettings> | undefined;
};

export function applySettings(settings: TenantSettings, patch: SettingsPatch): TenantSettings {
  return {
    ...settings,
    ...defined(patch),
    delta: { ...settings.delta, ...defined(patch.delta ?? {}) },
    chaos: { ...settings.chaos, ...defined(patch.chaos ?? {}) },
    notifications: { ...settings.notifications, ...defined(patch.notifications ?? {}) },
  };
}

function defined<T extends object>(patch: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
