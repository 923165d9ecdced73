import * as z from 'zod';
import { PHASES } from '../../domain/tenant.ts';
import { OWNERS } from '../../domain/catalogue/remedies.ts';
import { PROBLEM_CODES } from '../../domain/problem.ts';
import { connectSettings, connectShown } from './connect.ts';
import { guard, guardSettings } from './guard.ts';
import { reconcile } from './reconcile.ts';
import { scope, scopeGroup, scopeSettings } from './scope.ts';
import { signIn, signInSettings } from './sign-in.ts';
import { expectedDirectory, groupsToSync, guid, readableText } from './fields.ts';

// A dot or two alone would be taken for a folder in every URL.
export const tenantId = z
  .string({ error: 'An id is expected.' })
  .regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/,
    'An id is 1 to 64 of the characters A-Z a-z 0-9 . _ - and not a dot or two alone.',
  )
  .meta({ description: "The product's own name for the environment", example: 'env_contoso' });

export const tenantPath = z.strictObject({ id: tenantId });

const settings = {
  name: readableText(200).nullable().optional().meta({ description: 'For people to recognise it' }),
  groupsToSync: groupsToSync.optional(),
  scope: scopeSettings.optional(),
  expectedEntraTenant: expectedDirectory.nullable().optional(),
  requireApproval: z
    .boolean('Either true or false is expected.')
    .optional()
    .meta({ description: 'A consent waits for `/approve`, whoever gave it' }),
  sharedDirectory: z
    .boolean('Either true or false is expected.')
    .optional()
    .meta({ description: 'May be connected to a directory that another tenant is connected to' }),
  guard: guardSettings.optional(),
  retainAfterRevocation: z
    .int('A whole number of days is expected.')
    .min(0, 'A whole number of days is expected.')
    .max(3650, 'Ten years at most: 3650 days.')
    .optional()
    .meta({ description: 'Days that the mirror is kept after a revocation; then it is purged (30)' }),
  ...connectSettings,
  signIn: signInSettings.optional(),
};

const objectExpected = { error: 'A JSON object is expected.' };
const withOwnWords = (issue: { readonly code?: string | undefined }) =>
  issue.code === 'invalid_type' ? objectExpected.error : undefined;

export const newTenant = z
  .strictObject({ id: tenantId.optional(), ...settings }, { error: withOwnWords })
  .meta({ id: 'NewTenant' });
export const tenantChange = z.strictObject(settings, { error: withOwnWords }).meta({ id: 'TenantChange' });
export type TenantChange = z.output<typeof tenantChange>;

export const approval = z
  .strictObject({ entraTenantId: guid }, { error: withOwnWords })
  .optional()
  .meta({ id: 'Approval' });

const time = z.string().meta({ format: 'date-time' });

const problem = z
  .strictObject({
    code: z.enum(PROBLEM_CODES),
    title: z.string(),
    who: z.enum(OWNERS),
    steps: z.array(z.string()),
    since: time,
    requestId: z.string().optional(),
    blocking: z.boolean().meta({ description: 'Something waits for a person' }),
  })
  .meta({ id: 'TenantProblem' });

const roundKind = z.enum(['full', 'delta']);

export const tenant = z
  .strictObject({
    id: z.string(),
    name: z.string().nullable(),
    state: z
      .enum([...PHASES, 'paused', 'attention'])
      .meta({ description: 'revoked, else paused, else attention if a blocking problem stands, else the phase' }),
    phase: z.enum(PHASES),
    paused: z.boolean(),
    problem: problem.nullable(),
    entraTenantId: z.string().nullable().meta({ description: "Microsoft's directory id, known after consent" }),
    setupUrl: z.string().nullable().meta({
      description:
        "For the customer's administrator; good for 30 days. Null where it was revoked, and for readers, since it opens more than they may",
      format: 'uri',
    }),
    progress: z
      .strictObject({ kind: roundKind, startedAt: time, pages: z.int(), changes: z.int() })
      .nullable()
      .meta({ description: 'The running round' }),
    counts: z.strictObject({ users: z.int(), groups: z.int(), memberships: z.int() }),
    lastSync: z
      .strictObject({ kind: roundKind, startedAt: time, completedAt: time, pages: z.int(), changes: z.int() })
      .nullable(),
    asOf: time.nullable().meta({ description: 'What Microsoft showed at that time is in' }),
    reconcile,
    groupsToSync: z.array(z.string()),
    scope,
    scopeGroups: z.array(scopeGroup).meta({ description: 'What became of each entry of `groupsToSync`' }),
    expectedEntraTenant: z.string().nullable(),
    requireApproval: z.boolean(),
    sharedDirectory: z.boolean(),
    guard,
    retainAfterRevocation: z.int(),
    ...connectShown,
    signIn,
    candidate: z
      .strictObject({
        entraTenantId: z.string(),
        account: z.string().nullable().meta({ description: 'Who signed in, where somebody did' }),
        displayName: z.string().nullable(),
        domains: z.array(z.string()),
        at: time,
      })
      .nullable()
      .meta({ description: 'A directory whose consent waits for `/approve`' }),
    createdAt: time,
    deletingAt: time.nullable(),
  })
  .meta({ id: 'Tenant' });
export type TenantJson = z.input<typeof tenant>;
