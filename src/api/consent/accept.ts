import type { ConsentCandidate, TenantRow } from '../../store/face/tenants.ts';
import { announce } from '../announce.ts';
import { basePathOf } from '../base-path.ts';
import type { ApiDeps } from '../deps.ts';
import { arrivedPage } from '../pages/arrived-page.tsx';
import { redirect } from '../reply.ts';
import type { Caller } from '../route.ts';
import type { Carried } from './attempt.ts';
import { ended, type ConsentResult } from './result.ts';
import { setupUrlOf } from './setup-link.ts';

/** Binds the directory, or keeps it for `/approve`; the rest is the workflow's. */
export async function accept(
  tenant: TenantRow,
  directory: string,
  who: { readonly account: string | null; readonly needsApproval: boolean },
  { via, groups, linkSerial }: Carried,
  caller: Pick<Caller, 'concerns'>,
  deps: ApiDeps,
): Promise<ConsentResult> {
  await caller.concerns({ tenant: tenant.id });
  // What is connected to this directory now gains nothing by the same consent again; what was revoked would.
  const connected = tenant.entraTenantId === directory && tenant.phase !== 'revoked';
  const begun = { groups, linkSerial };
  const result =
    who.needsApproval && !connected
      ? await deps.store.consents.propose(tenant.no, await candidateOf(directory, who.account, deps), begun)
      : await deps.store.consents.bind(tenant.no, directory, begun);
  if (result === 'link_revoked') return ended({ kind: result });
  if (typeof result === 'string') return ended({ kind: result }, { tenant, via });
  await announce(result, tenant.id, deps);
  // The set-up link opens more than the environment's id does: who came by the id is not handed one.
  const setupUrl = via === 'id' ? null : setupUrlOf(tenant, deps, new Date());
  if (setupUrl === null) return { is: 'reply', reply: arrivedPage(tenant, basePathOf(deps.config.publicUrl)) };
  return { is: 'reply', reply: redirect(303, `${setupUrl}/status?follow=true`) };
}

async function candidateOf(directory: string, account: string | null, { graph }: ApiDeps): Promise<ConsentCandidate> {
  const organization = await graph.organization(directory, AbortSignal.timeout(5000)).catch(() => null);
  return {
    entraTenantId: directory,
    account,
    displayName: organization?.displayName ?? null,
    domains: organization?.domains ?? [],
    at: new Date().toISOString(),
  };
}
