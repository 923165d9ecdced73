import { describeProblem } from '../../domain/problem.ts';
import type { TenantRow } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { page } from './page.tsx';

const RELOAD_SECONDS = 5;

/** What happens now: where the connection stands, told again every few seconds if the reader wants it so. */
export function statusPage(tenant: TenantRow, token: string, base: string, follow: boolean): Reply<never> {
  const path = `${base}/connect/${token}/status`;
  const problem = tenant.problem === null ? null : describeProblem(tenant.problem);
  return page({
    status: 200,
    title: titleOf(tenant),
    base,
    // A header in place of a meta element: it is off unless asked for, and can be turned off, as WCAG 2.2.1 wants.
    headers: follow ? { Refresh: String(RELOAD_SECONDS) } : {},
    content: (
      <>
        <p>
          Environment: <strong>{tenant.name ?? tenant.id}</strong>
        </p>
        <p>{explanationOf(tenant)}</p>
        <ol>
          {stepsOf(tenant).map(({ words, standing }) => (
            <li>
              {words}: <strong>{standing}</strong>
            </li>
          ))}
        </ol>
        {problem === null ? null : (
          <article aria-labelledby="problem">
            <h2 id="problem">{problem.title}</h2>
            <p>Who can help: {problem.who}</p>
            <ul>
              {problem.steps.map((step) => (
                <li>{step}</li>
              ))}
            </ul>
            {problem.requestId === undefined ? null : (
              <p>
                Microsoft's request id: <code>{problem.requestId}</code>
              </p>
            )}
          </article>
        )}
        <p>
          {follow ? (
            <>
              This page loads itself again every {RELOAD_SECONDS} seconds. <a href={path}>Stop that</a>
            </>
          ) : (
            <>
              <a href={path}>Look again</a> or <a href={`${path}?follow=true`}>keep this page up to date</a>
            </>
          )}
        </p>
        {tenant.phase === 'revoked' ||
        tenant.phase === 'awaiting_consent' ||
        problem?.who === 'customer administrator' ? (
          <p>
            <a href={`${base}/connect/${token}`}>Open the set-up page</a>
          </p>
        ) : null}
      </>
    ),
  });
}

/** The phase that the reader should see: the workflow may not have told of a consent that is committed already. */
function phaseOf(tenant: TenantRow): TenantRow['phase'] {
  return tenant.phase === 'awaiting_consent' && tenant.entraTenantId !== null ? 'consented' : tenant.phase;
}

const isWaiting = (tenant: TenantRow): boolean =>
  tenant.candidate !== null && (tenant.entraTenantId === null || tenant.phase === 'revoked');

function titleOf(tenant: TenantRow): string {
  if (isWaiting(tenant)) return 'Waiting for approval';
  switch (phaseOf(tenant)) {
    case 'awaiting_consent':
      return 'Not connected yet';
    case 'consented':
    case 'syncing':
      return 'What happens now';
    case 'delta_sync':
      return 'Connected';
    case 'revoked':
      return 'The connection was withdrawn';
  }
}

function explanationOf(tenant: TenantRow): string {
  if (isWaiting(tenant)) {
    return 'Your consent has arrived. Whoever sent you the set-up link now has to approve it; you need not do anything more.';
  }
  if (tenant.paused) return 'The connection is paused on our side. You need not do anything.';
  switch (phaseOf(tenant)) {
    case 'awaiting_consent':
      return "An administrator's consent is still missing.";
    case 'consented':
      return 'Your consent has arrived and is being checked. It can take Microsoft some minutes to honour it everywhere. You may close this page.';
    case 'syncing':
      return 'People and groups are being read for the first time. You may close this page.';
    case 'delta_sync':
      return 'People and groups are here, and changes follow by themselves. There is nothing more to do.';
    case 'revoked':
      return 'Nothing more is read from your directory. Consent can be given again on the set-up page.';
  }
}

const STEPS = ['Consent', 'Check of the permissions', 'First reading of people and groups', 'Following changes'];

function stepsOf(tenant: TenantRow): readonly { readonly words: string; readonly standing: string }[] {
  const phase = phaseOf(tenant);
  if (phase === 'revoked') return [];
  const reached = { awaiting_consent: 0, consented: 1, syncing: 2, delta_sync: 3 }[phase];
  return STEPS.map((words, index) => ({
    words,
    standing: index < reached ? 'done' : index === reached ? currently(tenant, phase) : 'to come',
  }));
}

function currently(tenant: TenantRow, phase: Exclude<TenantRow['phase'], 'revoked'>): string {
  if (isWaiting(tenant)) return 'waits for approval';
  if (phase === 'awaiting_consent') return 'waited for';
  if (tenant.problem !== null && describeProblem(tenant.problem).blocking) return 'held up';
  return phase === 'delta_sync' ? 'under way, for good' : 'under way';
}
