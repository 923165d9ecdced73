import { mayFetch } from '../../domain/tenant.ts';
import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { PreviewFailed, ScopePreviewer } from '../scope-preview.ts';
import { scopeSettingsOf } from '../schemas/scope.ts';
import { scopePreview, toScopePreview, type ScopePreviewJson } from '../schemas/scope-preview.ts';
import { tenantChange, tenantPath } from '../schemas/tenant.ts';
import { withLiveTenant } from '../with-tenant.ts';

export const postScopePreview = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/scope/preview',
  tag: 'Tenants',
  summary: 'See who would enter and who would leave by another scope',
  description:
    'Takes what PATCH takes, looks at `groupsToSync` and `scope`, and changes nothing. Asks Microsoft a bounded number of questions: where they do not reach, `complete` is false.',
  access: 'key',
  role: 'reader',
  params: tenantPath,
  body: tenantChange,
  answers: { 200: { description: 'Counts, and some of each', schema: scopePreview } },
  problems: ['tenant-not-found', 'state-conflict', 'unavailable'],
  async handle({ params, body }, deps) {
    return withLiveTenant<ScopePreviewJson>(params.id, deps, async (row) => {
      if (row.entraTenantId === null || !mayFetch(row.phase)) {
        return problem('state-conflict', `Nothing can be read from the directory in the phase ${row.phase}.`);
      }
      const token = await deps.graph.tokenFor(row.entraTenantId);
      if (token.kind !== 'token') return problem('unavailable', 'Microsoft gave no token for this directory.');
      const previewer = new ScopePreviewer(deps, row, token.accessToken);
      try {
        const preview = await previewer.preview({
          groupsToSync: body.groupsToSync ?? row.groupsToSync,
          scope: { ...row.scope, ...scopeSettingsOf(body.scope) },
        });
        return json(200, toScopePreview(preview));
      } catch (error) {
        if (error instanceof PreviewFailed)
          return problem('unavailable', `Microsoft Graph did not answer: ${error.message}.`);
        throw error;
      }
    });
  },
});
