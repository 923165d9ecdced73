import { z } from 'zod';
import { MUTATIONS } from '../directory/random-mutations.ts';
import { LIFECYCLE_EVENTS } from '../notifications/notifications.ts';
import { APPLICATION_PERMISSIONS, DIRECTORY_ROLES } from '../permissions.ts';
import { EXPIRY_SHAPES } from '../tenant-settings.ts';

const probability = z.number().min(0).max(1);
const count = z.number().int().min(0);
const throttle = z
  .strictObject({ resourceUnits: z.number().int().min(1), windowMs: z.number().int().min(1) })
  .partial()
  .nullable()
  .optional();
const latency = z.union([
  count,
  z
    .strictObject({ min: count, max: count, seed: z.number().int().optional() })
    .refine(({ min, max }) => min <= max, 'min is above max'),
]);
const permission = z.enum(Object.keys(APPLICATION_PERMISSIONS));

export const settingsSchema = z.strictObject({
  delta: z
    .strictObject({
      usersPageSize: z.number().int().min(1),
      groupsPageSize: z.number().int().min(1),
      memberSliceSize: z.number().int().min(1),
      membersPerPage: z.number().int().min(1),
      lifetimeMs: count,
      expiryShape: z.enum(EXPIRY_SHAPES),
      relistMembersOnRestore: z.boolean(),
    })
    .partial()
    .optional(),
  chaos: z
    .strictObject({
      seed: z.number().int(),
      emptyPage: probability,
      replay: probability,
      duplicate: probability,
      olderVersion: probability,
      removedInFirstRound: probability,
      shuffle: z.boolean(),
      unaskedMinimal: z.boolean(),
      firstInPart: probability,
    })
    .partial()
    .optional(),
  notifications: z
    .strictObject({
      seed: z.number().int(),
      latencyMs: count,
      drop: probability,
      duplicate: probability,
      shuffle: z.boolean(),
      retryMs: z.number().int().min(1),
      slowDelayMs: count,
    })
    .partial()
    .optional(),
  latencyMs: latency.optional(),
  throttle,
  allowHttpNotifications: z.boolean().optional(),
  silentChanges: z.boolean().optional(),
  readLagMs: count.optional(),
  consentDelayMs: count.optional(),
  blockedByPolicy: z.array(z.enum(['applications', 'users'])).optional(),
  widsInIdToken: z.boolean().optional(),
  missingPrincipalCode: z.union([z.literal(7000229), z.literal(700016)]).optional(),
  refuseTokensOfDeletedPrincipal: z.boolean().optional(),
  tokenLifetimeSeconds: z.number().int().min(1).nullable().optional(),
});

export const tenantSchema = z.strictObject({
  id: z.guid().optional(),
  domain: z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i),
  displayName: z.string().optional(),
  seed: z.number().int().optional(),
  users: count.optional(),
  groups: count.optional(),
  memberships: count.optional(),
  guests: probability.optional(),
  disabled: probability.optional(),
  nestedCycles: count.optional(),
  devices: count.optional(),
  servicePrincipals: count.optional(),
  orgContacts: count.optional(),
  settings: settingsSchema.optional(),
});

/** Any of Graph's properties; the conformance test holds what comes out against the metadata. */
export const objectSchema = z.looseObject({ id: z.guid().optional() });
export const patchSchema = z.record(z.string(), z.json());
export const membersSchema = z.strictObject({ ids: z.array(z.guid()).min(1) });
export const managerSchema = z.strictObject({ managerId: z.guid().nullable() });

export const mutateSchema = z.strictObject({
  count: z.number().int().min(1).max(100_000),
  seed: z.number().int().default(1),
  only: z.array(z.enum(MUTATIONS)).min(1).optional(),
});

export const clientSchema = z.strictObject({ clientId: z.string().optional() });

export const consentSchema = z.strictObject({
  clientId: z.string().optional(),
  permissions: z.array(permission).optional(),
  delayMs: count.optional(),
});

export const principalSchema = z.strictObject({
  clientId: z.string().optional(),
  accountEnabled: z.boolean().optional(),
  appRoleAssignmentRequired: z.boolean().optional(),
});

export const roleSchema = z.strictObject({ clientId: z.string().optional(), permission });
export const assignmentSchema = z.strictObject({ clientId: z.string().optional(), principalId: z.guid() });

const roleNames = Object.keys(DIRECTORY_ROLES) as (keyof typeof DIRECTORY_ROLES)[];
export const directoryRolesSchema = z.strictObject({ roles: z.array(z.enum(roleNames)) });

/** Of one subscription by its id, or of all that the directory has. */
export const subscriptionSchema = z.strictObject({ id: z.guid().optional() });
export const lifecycleSchema = z.strictObject({ id: z.guid().optional(), event: z.enum(LIFECYCLE_EVENTS) });

export const expireSchema = z.strictObject({
  resource: z.enum(['users', 'groups', 'all']).default('all'),
  scope: z.enum(['delta', 'page', 'all']).default('delta'),
  shape: z.enum(EXPIRY_SHAPES).default('a'),
});

export const registrationSchema = z.strictObject({
  displayName: z.string().optional(),
  secrets: z
    .array(
      z.strictObject({
        keyId: z.string().default('key'),
        value: z.string().min(1),
        expiresAt: z.number().nullable().default(null),
      }),
    )
    .optional(),
  certificates: z.array(z.string()).optional(),
  federatedCredentials: z
    .array(
      z.strictObject({
        issuer: z.string(),
        subject: z.string(),
        audience: z.string().default('api://AzureADTokenExchange'),
        publicKey: z.string(),
      }),
    )
    .optional(),
  redirectUris: z.array(z.string()).optional(),
  applicationPermissions: z.array(permission).optional(),
  delegatedPermissions: z.array(z.string()).optional(),
  widsInIdToken: z.boolean().optional(),
  tokenLifetimeSeconds: z.number().int().min(1).optional(),
  throttle,
});

export const clockSchema = z.strictObject({ advanceMs: z.number().int() });
export const rotateSchema = z.strictObject({ forgetOld: z.boolean().default(false) });

export const faultSchema = z.strictObject({
  name: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  tenant: z.string().optional(),
  times: z.number().int().min(1).optional(),
  skip: count.optional(),
  probability: probability.optional(),
  seed: z.number().int().optional(),
  fault: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('status'),
      status: z.number().int().min(400).max(599),
      code: z.string().optional(),
      message: z.string().optional(),
      retryAfter: z.union([z.number().min(0), z.literal('date')]).optional(),
      retryAfterSeconds: z.number().min(0).optional(),
      body: z.enum(['json', 'html', 'empty']).optional(),
      headers: z.record(z.string(), z.string()).optional(),
    }),
    z.strictObject({ kind: z.literal('reset') }),
    z.strictObject({ kind: z.literal('truncate'), keep: probability.optional() }),
    z.strictObject({ kind: z.literal('contentType'), value: z.string().optional() }),
    z.strictObject({ kind: z.literal('latency'), ms: count }),
    z.strictObject({ kind: z.literal('emptyResult') }),
    z.strictObject({ kind: z.literal('sameLink') }),
  ]),
});
