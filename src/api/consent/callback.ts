import * as z from 'zod';
import type { ConsentCandidate, Intent, TenantRow } from '../../store/store.ts';
import { announce } from '../announce.ts';
import type { ApiDeps } from '../deps.ts';
import { redirect, type Reply } from '../reply.ts';
import type { Caller } from '../route.ts';
import { browserHash, rememberBrowser, sha256, unguessable } from './browser.ts';
import { afterConsent, afterProof, readAnswer, readError, type CallbackQuery, type Outcome } from './decide.ts';
import { setupUrlOf } from './setup-link.ts';
import { ATTEMPT_MS, callbackUrlOf } from './start.ts';

/** What a callback comes to: a redirect further on, or an outcome to be shown, of a tenant where one is known. */
export type CallbackResult =
  | { readonly is: 'reply'; readonly reply: Reply<never> }
  | { readonly is: 'outcome'; readonly outcome: Outcome; readonly tenant: TenantRow | undefined };

const ended = (outcome: Outcome, tenant?: TenantRow): CallbackResult => ({ is: 'outcome', outcome, tenant });

/** Microsoft's answer, to the consent or to the proof. The state is used up before anything else is believed. */
export async function finishConsent(query: CallbackQuery, caller: Caller, deps: ApiDeps): Promise<CallbackResult> {
  const { store, config } = deps;
  if (query.state === undefined || query.state === '') return ended({ kind: 'no_state' });
  const stateHash = sha256(query.state);
  const attempt = await store.consents.use(stateHash, browserHash(caller.cookies, config.publicUrl));
  if (typeof attempt === 'string') return ended({ kind: attempt });
  const tenant = await store.tenants.byNo(attempt.tenantNo);
  if (tenant === undefined || tenant.deletingAt !== null) return ended({ kind: 'unknown' });

  const error = readError(query);
  if (error !== undefined) return ended(error, tenant);

  const step = readAnswer(attempt, query);
  if (step.next === 'malformed') return ended({ kind: 'malformed' }, tenant);
  if (step.next === 'redeem') return redeem(tenant, step.directory, step.sealed, query.state, caller, deps);

  const decision = afterConsent(tenant, step.directory);
  if (decision === 'prove') return beginProof(tenant, step.directory, caller, deps);
  if (decision === 'vouched') return accept(tenant, step.directory, null, tenant.requireApproval, deps);
  return ended({ kind: decision }, tenant);
}

const secrets = z.object({ verifier: z.string(), nonce: z.string() });
const sealContext = (stateHash: Uint8Array): string => `proof/${Buffer.from(stateHash).toString('hex')}`;

/** A second redirect in the same browser: whoever consented now shows who they are in that very directory. */
async function beginProof(
  tenant: TenantRow,
  directory: string,
  caller: Caller,
  { store, graph, sealer, config }: ApiDeps,
): Promise<CallbackResult> {
  const state = unguessable();
  const stateHash = sha256(state);
  const browser = rememberBrowser(caller.cookies, config.publicUrl);
  const proof = await graph.beginProof({
    entraTenant: directory,
    redirectUri: callbackUrlOf(config.publicUrl),
    state,
  });
  await store.consents.begin(
    stateHash,
    {
      tenantNo: tenant.no,
      step: 'proof',
      browserHash: browser.hash,
      entraTenant: directory,
      sealed: sealer.seal(JSON.stringify({ verifier: proof.verifier, nonce: proof.nonce }), sealContext(stateHash)),
    },
    new Date(Date.now() + ATTEMPT_MS),
  );
  return { is: 'reply', reply: redirect(302, proof.url, { 'Set-Cookie': browser.setCookie }) };
}

async function redeem(
  tenant: TenantRow,
  directory: string,
  sealed: Uint8Array,
  state: string,
  caller: Caller,
  deps: ApiDeps,
): Promise<CallbackResult> {
  const { verifier, nonce } = secrets.parse(JSON.parse(deps.sealer.open(sealed, sealContext(sha256(state)))));
  const proof = await deps.graph.finishProof({
    entraTenant: directory,
    callbackUrl: caller.url,
    redirectUri: callbackUrlOf(deps.config.publicUrl),
    state,
    verifier,
    nonce,
  });
  const decision = afterProof(directory, proof);
  if (decision.next === 'refuse') return ended(decision.outcome, tenant);
  const account = proof.proven ? proof.account : null;
  return accept(tenant, directory, account, decision.next === 'propose' || tenant.requireApproval, deps);
}

/** Binds the directory, or keeps it for `/approve`; the rest is the workflow's. */
async function accept(
  tenant: TenantRow,
  directory: string,
  account: string | null,
  needsApproval: boolean,
  deps: ApiDeps,
): Promise<CallbackResult> {
  // What is connected to this directory now gains nothing by the same consent again; what was revoked would.
  const connected = tenant.entraTenantId === directory && tenant.phase !== 'revoked';
  const propose = needsApproval && !connected;
  const result = propose
    ? await deps.store.consents.propose(tenant.no, await candidateOf(directory, account, deps))
    : await deps.store.consents.bind(tenant.no, directory);
  if (typeof result === 'string') return ended({ kind: result }, tenant);
  return { is: 'reply', reply: await showWhatHappensNext(tenant, result, deps) };
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

async function showWhatHappensNext(tenant: TenantRow, intent: Intent, deps: ApiDeps): Promise<Reply<never>> {
  await announce(intent, tenant.id, deps);
  return redirect(303, `${setupUrlOf(tenant, deps, new Date())}/status?follow=true`);
}
