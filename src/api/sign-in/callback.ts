import type { ConsentAttempt } from '../../store/face/consents.ts';
import type { TenantRow } from '../../store/face/tenants.ts';
import { refusalOf } from '../../domain/sign-in.ts';
import { openSealed } from '../consent/attempt.ts';
import type { CallbackQuery } from '../consent/decide.ts';
import { browserHash, sha256, unguessable } from '../consent/browser.ts';
import type { ApiDeps } from '../deps.ts';
import { redirect, type Reply } from '../reply.ts';
import type { Caller } from '../route.ts';
import { groupsOf } from './groups.ts';
import { microsoftSaid, proofFailed, type SignInOutcome } from './decide.ts';
import { allowedReturnUrl, returnWith } from './return-url.ts';
import { signInCallbackOf, signInCarried, type Carried } from './start.ts';

/** Of the page that says why somebody did not come in: where it began. */
export interface About {
  readonly tenant: TenantRow;
  readonly returnTo: string;
  readonly productState: string | undefined;
}

export type SignInResult =
  | { readonly is: 'reply'; readonly reply: Reply<never> }
  | { readonly is: 'outcome'; readonly outcome: SignInOutcome; readonly about: About | undefined };

const ended = (outcome: SignInOutcome, about?: About): SignInResult => ({ is: 'outcome', outcome, about });

/** A code is exchanged by the product's server at once. */
const CODE_LIFETIME_MS = 60_000;
const ASSIGNMENT_TIMEOUT_MS = 15_000;

/** Microsoft's answer. The state is used up before anything else is believed. */
export async function finishSignIn(query: CallbackQuery, caller: Caller, deps: ApiDeps): Promise<SignInResult> {
  const { store, config } = deps;
  if (query.state === undefined || query.state === '') return ended({ kind: 'no_state' });
  const attempt = await store.consents.use(sha256(query.state), browserHash(caller.cookies, config.publicUrl));
  if (typeof attempt === 'string') return ended({ kind: attempt });
  const tenant = await store.tenants.byNo(attempt.tenantNo);
  if (tenant === undefined || tenant.deletingAt !== null) return ended({ kind: 'unknown' });
  // A consent's answer is none to a sign-in.
  if (attempt.step !== 'signin') return ended({ kind: 'malformed' });
  const carried = signInCarried.parse(openSealed(attempt, query.state, deps));
  // The list may be another one by now.
  const returnTo = allowedReturnUrl(carried.returnTo, tenant.signIn.returnUrls);
  if (returnTo === undefined) return ended({ kind: 'unknown' });
  const about = { tenant, returnTo, productState: carried.productState };

  const error = microsoftSaid(query);
  if (error !== undefined) return ended(error, about);
  if (query.code === undefined) return ended({ kind: 'malformed' }, about);
  return comeIn(about, attempt, carried, query.state, caller, deps);
}

async function comeIn(
  about: About,
  attempt: ConsentAttempt,
  { verifier, nonce }: Carried,
  state: string,
  caller: Caller,
  deps: ApiDeps,
): Promise<SignInResult> {
  const { tenant, returnTo, productState } = about;
  const { entraTenantId } = tenant;
  if (entraTenantId === null || entraTenantId !== attempt.entraTenant) return ended({ kind: 'unknown' });
  const proof = await deps.graph.finishProof({
    entraTenant: entraTenantId,
    callbackUrl: caller.url,
    redirectUri: signInCallbackOf(deps.config.publicUrl),
    state,
    verifier,
    nonce,
  });
  if (!proof.proven) return ended(proofFailed(proof), about);
  const refusal = await refusalFor(tenant, entraTenantId, proof.oid, deps);
  if (refusal !== undefined) return ended({ kind: refusal }, about);
  const code = unguessable();
  const who = {
    tenantNo: tenant.no,
    entraTenantId,
    userId: proof.oid,
    returnTo,
    authTime: proof.authTime ?? null,
  };
  await deps.store.signIns.issue(sha256(code), who, CODE_LIFETIME_MS);
  return { is: 'reply', reply: redirect(302, returnWith(returnTo, { code, state: productState })) };
}

type Refused = Exclude<SignInOutcome, { code: string }>['kind'];

async function refusalFor(
  tenant: TenantRow,
  entraTenant: string,
  userId: string,
  deps: ApiDeps,
): Promise<Refused | undefined> {
  const person = await deps.store.signIns.person(tenant.no, userId);
  const refusal = refusalOf(
    tenant,
    person && { deleted: person.deleted, accountEnabled: person.data['accountEnabled'] },
  );
  if (refusal === 'not_in_mirror') await lookNow(tenant, deps);
  if (refusal !== undefined || !tenant.signIn.requireAssignment) return refusal;
  const direct = await groupsOf(tenant.no, userId, false, deps);
  const assignment = await deps.graph.assignment({
    entraTenant,
    userId,
    groupIds: direct.map(({ id }) => id),
    signal: AbortSignal.timeout(ASSIGNMENT_TIMEOUT_MS),
  });
  if (assignment === 'assigned') return undefined;
  return assignment === 'unknown' ? 'assignment_unknown' : 'unassigned';
}

/** Microsoft knows the person and we do not: there is news in the directory, unless it is one who is not to be mirrored. */
async function lookNow(tenant: TenantRow, { store, hint }: ApiDeps): Promise<void> {
  const fresh = await store.subscriptions.hint([tenant.no], { keepNow: false });
  if (fresh.length > 0) void hint(tenant.no, tenant.id);
}
