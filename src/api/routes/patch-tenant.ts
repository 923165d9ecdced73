import { announce } from '../announce.ts';
import { resolveExpected } from '../expected-directory.ts';
import { ofOneTenant } from '../keys/allowed.ts';
import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { presentationOf } from '../schemas/connect.ts';
import { settingsOf } from '../schemas/guard.ts';
import { scopeSettingsOf } from '../schemas/scope.ts';
import { signInSettingsOf } from '../schemas/sign-in.ts';
import { tenant, tenantChange, tenantPath, type TenantChange } from '../schemas/tenant.ts';
import { showTenant, withLiveTenant } from '../with-tenant.ts';

export const patchTenant = defineRoute({
  method: 'patch',
  path: '/v1/tenants/{id}',
  tag: 'Tenants',
  summary: 'Change a tenant',
  description:
    'What is left out stays; null clears what may be absent. `expectedEntraTenant`, `requireApproval` and `sharedDirectory` are not for a key of one tenant.',
  access: 'key',
  params: tenantPath,
  body: tenantChange,
  answers: { 200: { description: 'The changed tenant', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict', 'directory-taken', 'unknown-directory', 'unavailable'],
  async handle({ params, body, caller }, deps) {
    if (caller.key?.tenant && vouches(body)) return problem('key-not-allowed', ofOneTenant(caller.key.tenant.id));
    return withLiveTenant(params.id, deps, async (row) => {
      const directory = await resolveExpected(body.expectedEntraTenant ?? null, deps);
      if (typeof directory === 'object' && directory !== null) return directory;
      if (directory !== null && row.entraTenantId !== null && row.entraTenantId !== directory) {
        return problem('state-conflict', 'The tenant is connected to another directory than the one expected now.');
      }
      const change = {
        ...given(body),
        presentation: presentationOf(body, row.presentation),
        // A kind that is left out keeps its threshold.
        ...(body.guard === undefined ? {} : { guard: { ...row.guard, ...settingsOf(body.guard) } }),
        ...(body.signIn === undefined ? {} : { signIn: { ...row.signIn, ...signInSettingsOf(body.signIn) } }),
        ...(body.scope === undefined ? {} : { scope: { ...row.scope, ...scopeSettingsOf(body.scope) } }),
        ...(body.expectedEntraTenant === undefined ? {} : { expectedEntraTenant: directory }),
      };
      try {
        await deps.store.tenants.update(row.no, change);
      } catch (error) {
        if (isTaken(error)) return problem('directory-taken');
        throw error;
      }
      await announce(await deps.store.intents.add(row.no, 'settings'), row.id, deps);
      return showTenant(row.no, 200, deps);
    });
  },
});

/** Says which directory may be connected: a key of one tenant could name another's, and would be handed its people. */
const vouches = ({ expectedEntraTenant, requireApproval, sharedDirectory }: TenantChange): boolean =>
  [expectedEntraTenant, requireApproval, sharedDirectory].some((setting) => setting !== undefined);

/** Only what the caller said: a property that is undefined would be written as well. */
function given({
  name,
  groupsToSync,
  requireApproval,
  sharedDirectory,
  retainAfterRevocation,
  profiles,
}: TenantChange) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(groupsToSync === undefined ? {} : { groupsToSync }),
    ...(requireApproval === undefined ? {} : { requireApproval }),
    ...(sharedDirectory === undefined ? {} : { sharedDirectory }),
    ...(retainAfterRevocation === undefined ? {} : { retainDays: retainAfterRevocation }),
    ...(profiles === undefined ? {} : { profiles }),
  };
}

/** The one unique thing that a change can touch is a directory that is no longer shared (unique_violation). */
function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
