import type { TenantRow } from '../../store/face/tenants.ts';
import type { ApiDeps } from '../deps.ts';
import { redirect } from '../reply.ts';
import type { Caller } from '../route.ts';
import { accept } from './accept.ts';
import { beginStep, cameByOldLink, openCarried, type Carried } from './attempt.ts';
import { browserHash, sha256, unguessable } from './browser.ts';
import { afterConsent, afterProof, readAnswer, readError, withoutState, type CallbackQuery } from './decide.ts';
import { ended, type ConsentResult } from './result.ts';
import { callbackUrlOf } from './start.ts';

/** Microsoft's answer, to the consent or to the proof. The state is used up before anything else is believed. */
export async function finishConsent(query: CallbackQuery, caller: Caller, deps: ApiDeps): Promise<ConsentResult> {
  const { store, config } = deps;
  const { state } = query;
  if (state === undefined || state === '') return ended(withoutState(query));
  const attempt = await store.consents.use(sha256(state), browserHash(caller.cookies, config.publicUrl));
  if (typeof attempt === 'string') return ended({ kind: attempt });
  const tenant = await store.tenants.byNo(attempt.tenantNo);
  if (tenant === undefined || tenant.deletingAt !== null) return ended({ kind: 'unknown' });
  // A sign-in's answer is none to a consent.
  if (attempt.step === 'signin') return ended({ kind: 'malformed' });
  const carried = openCarried(attempt, state, deps);
  // Nor is who came by it handed the new one.
  if (cameByOldLink(carried, tenant)) return ended({ kind: 'link_revoked' });
  const { via } = carried;

  const error = readError(query);
  if (error !== undefined) return ended(error, { tenant, via });

  const step = readAnswer(attempt, query);
  if (step.next === 'malformed') return ended({ kind: 'malformed' }, { tenant, via });
  if (step.next === 'redeem') return redeem(tenant, step.directory, carried, state, caller, deps);

  const decision = afterConsent(tenant, step.directory);
  if (decision === 'prove') return beginProof(tenant, step.directory, carried, caller, deps);
  if (decision === 'vouched') {
    return accept(
      tenant,
      step.directory,
      { account: null, needsApproval: tenant.requireApproval },
      carried,
      caller,
      deps,
    );
  }
  return ended({ kind: decision }, { tenant, via });
}

/** A second redirect in the same browser: whoever consented now shows who they are in that very directory. */
async function beginProof(
  tenant: TenantRow,
  directory: string,
  carried: Carried,
  caller: Caller,
  deps: ApiDeps,
): Promise<ConsentResult> {
  const state = unguessable();
  const redirectUri = callbackUrlOf(deps.config.publicUrl);
  const { url, verifier, nonce } = await deps.graph.beginProof({ entraTenant: directory, redirectUri, state });
  const begun = {
    tenantNo: tenant.no,
    entraTenant: directory,
    carried: { ...carried, secrets: { verifier, nonce } },
    state,
  };
  const { browser } = await beginStep('proof', begun, caller.cookies, deps);
  return { is: 'reply', reply: redirect(302, url, { 'Set-Cookie': browser.setCookie }) };
}

async function redeem(
  tenant: TenantRow,
  directory: string,
  { secrets, ...carried }: Carried,
  state: string,
  caller: Caller,
  deps: ApiDeps,
): Promise<ConsentResult> {
  const about = { tenant, via: carried.via };
  if (secrets === undefined) return ended({ kind: 'malformed' }, about);
  const proof = await deps.graph.finishProof({
    entraTenant: directory,
    callbackUrl: caller.url,
    redirectUri: callbackUrlOf(deps.config.publicUrl),
    state,
    ...secrets,
  });
  const decision = afterProof(directory, proof);
  if (decision.next === 'refuse') return ended(decision.outcome, about);
  const refusal = await deps.store.consents.refusal(tenant.no, directory);
  if (refusal !== undefined) return ended({ kind: refusal }, about);
  const { account, name } = decision;
  const needsApproval = decision.next === 'propose' || tenant.requireApproval;
  // What is connected to this directory already was confirmed before.
  if (tenant.entraTenantId === directory && tenant.phase !== 'revoked') {
    return accept(tenant, directory, { account, needsApproval }, carried, caller, deps);
  }
  return askWhetherRight(tenant, directory, { ...carried, proven: { account, name, needsApproval } }, caller, deps);
}

/** Nothing is bound before the person has seen which directory goes to whom. */
async function askWhetherRight(
  tenant: TenantRow,
  directory: string,
  carried: Carried,
  caller: Caller,
  deps: ApiDeps,
): Promise<ConsentResult> {
  const begun = { tenantNo: tenant.no, entraTenant: directory, carried };
  const { state, browser } = await beginStep('confirm', begun, caller.cookies, deps);
  const url = `${deps.config.publicUrl}/consent/confirm?state=${state}`;
  return { is: 'reply', reply: redirect(303, url, { 'Set-Cookie': browser.setCookie }) };
}
