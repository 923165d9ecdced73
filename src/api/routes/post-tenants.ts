import { announce } from '../announce.ts';
import { resolveExpected } from '../expected-directory.ts';
import { newId } from '../new-id.ts';
import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { presentationOf } from '../schemas/connect.ts';
import { settingsOf } from '../schemas/guard.ts';
import { scopeSettingsOf } from '../schemas/scope.ts';
import { signInSettingsOf } from '../schemas/sign-in.ts';
import { newTenant, tenant } from '../schemas/tenant.ts';
import { toTenant } from '../tenant-view.ts';

export const postTenants = defineRoute({
  method: 'post',
  path: '/v1/tenants',
  tag: 'Tenants',
  summary: 'Create a tenant',
  description: "Its `setupUrl` is for the customer's administrator.",
  access: 'key',
  body: newTenant,
  answers: {
    201: { description: 'Created', schema: tenant, headers: { Location: 'Path of the tenant' } },
  },
  problems: ['tenant-exists', 'unknown-directory', 'unavailable'],
  async handle({ body, caller }, deps) {
    const id = body.id ?? newId('env');
    await caller.concerns({ tenant: id });
    const directory = await resolveExpected(body.expectedEntraTenant ?? null, deps);
    if (typeof directory === 'object' && directory !== null) return directory;
    const created = await deps.store.tenants.create({
      id,
      name: body.name ?? null,
      groupsToSync: body.groupsToSync ?? [],
      scope: scopeSettingsOf(body.scope),
      expectedEntraTenant: directory,
      requireApproval: body.requireApproval ?? false,
      sharedDirectory: body.sharedDirectory ?? false,
      guard: settingsOf(body.guard),
      ...(body.retainAfterRevocation === undefined ? {} : { retainDays: body.retainAfterRevocation }),
      profiles: body.profiles ?? ['directory'],
      presentation: presentationOf(body),
      signIn: signInSettingsOf(body.signIn),
    });
    if (created === 'name_taken') return problem('tenant-exists');
    await announce(created.intent, created.tenant.id, deps);
    const Location = `/v1/tenants/${encodeURIComponent(created.tenant.id)}`;
    return json(201, toTenant(created.tenant, 'administrator', deps), { Location });
  },
});
