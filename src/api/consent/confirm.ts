import { basePathOf } from '../base-path.ts';
import type { ApiDeps } from '../deps.ts';
import { confirmPage } from '../pages/confirm-page.tsx';
import type { Caller } from '../route.ts';
import { accept } from './accept.ts';
import { cameByOldLink, openCarried } from './attempt.ts';
import { browserHash, sha256 } from './browser.ts';
import { ended, type About, type ConsentResult } from './result.ts';

/**
 * Is this right? A directory that was proven is a candidate of this browser alone until its person says yes. The state
 * counts once and within the hour; the token beside it binds the form to the browser that was shown it.
 */
export async function showCandidate(
  state: string | undefined,
  cookies: string | undefined,
  deps: ApiDeps,
): Promise<ConsentResult> {
  const found = await findCandidate(state, cookies, deps, 'look');
  if ('is' in found) return found;
  const { tenant, directory, carried, state: known } = found;
  const { proven } = carried;
  const organization = await deps.graph.organization(directory, AbortSignal.timeout(5000)).catch(() => null);
  const reply = confirmPage(
    tenant,
    {
      directory,
      organization,
      account: proven?.account ?? null,
      name: proven?.name ?? null,
      groups: carried.groups ?? [],
      needsApproval: proven?.needsApproval ?? true,
    },
    { state: known, csrf: csrfOf(known, cookies, deps) },
    basePathOf(deps.config.publicUrl),
  );
  return { is: 'reply', reply };
}

export interface Answered {
  readonly state?: string | undefined;
  readonly csrf?: string | undefined;
}

export async function confirmCandidate(
  form: Answered,
  caller: Pick<Caller, 'cookies' | 'concerns'>,
  deps: ApiDeps,
): Promise<ConsentResult> {
  const found = await answered(form, caller.cookies, deps);
  if ('is' in found) return found;
  const { tenant, directory, carried } = found;
  const { account = null, needsApproval = true } = carried.proven ?? {};
  return accept(tenant, directory, { account, needsApproval }, carried, caller, deps);
}

/** Not mine: the candidate is dropped, and whoever consented is told how to take that back. */
export async function dropCandidate(
  form: Answered,
  caller: Pick<Caller, 'cookies' | 'concerns'>,
  deps: ApiDeps,
): Promise<ConsentResult> {
  const found = await answered(form, caller.cookies, deps);
  if ('is' in found) return found;
  await caller.concerns({ tenant: found.tenant.id });
  return ended({ kind: 'not_mine' }, found);
}

interface Candidate extends About {
  readonly state: string;
  readonly directory: string;
  readonly carried: ReturnType<typeof openCarried>;
}

async function answered(
  { state, csrf }: Answered,
  cookies: string | undefined,
  deps: ApiDeps,
): Promise<Candidate | ConsentResult> {
  const message = messageOf(state ?? '', cookies, deps);
  // Before the state is used up: a form from elsewhere must not be able to spend it.
  if (!deps.sealer.verify(CSRF, message, csrf ?? '')) return ended({ kind: 'other_browser' });
  return findCandidate(state, cookies, deps, 'use');
}

async function findCandidate(
  state: string | undefined,
  cookies: string | undefined,
  deps: ApiDeps,
  how: 'look' | 'use',
): Promise<Candidate | ConsentResult> {
  if (state === undefined || state === '') return ended({ kind: 'unknown' });
  const { store, config } = deps;
  const attempt = await store.consents[how](sha256(state), browserHash(cookies, config.publicUrl));
  if (typeof attempt === 'string') return ended({ kind: attempt });
  const tenant = await store.tenants.byNo(attempt.tenantNo);
  if (
    tenant === undefined ||
    tenant.deletingAt !== null ||
    attempt.step !== 'confirm' ||
    attempt.entraTenant === null
  ) {
    return ended({ kind: 'unknown' });
  }
  const carried = openCarried(attempt, state, deps);
  if (cameByOldLink(carried, tenant)) return ended({ kind: 'link_revoked' });
  return { tenant, via: carried.via, state, directory: attempt.entraTenant, carried };
}

const CSRF = 'confirm-consent';

const messageOf = (state: string, cookies: string | undefined, { config }: ApiDeps): string =>
  `${state}.${Buffer.from(browserHash(cookies, config.publicUrl)).toString('hex')}`;

const csrfOf = (state: string, cookies: string | undefined, deps: ApiDeps): string =>
  deps.sealer.sign(CSRF, messageOf(state, cookies, deps));
