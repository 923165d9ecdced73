import type { Owner } from '../../domain/catalogue/remedies.ts';
import type { Finding } from '../../domain/doctor.ts';
import { describeProblem } from '../../domain/problem.ts';
import type { TenantRow } from '../../store/face/tenants.ts';
import type { Reply } from '../reply.ts';
import { mayAsk } from '../findings.ts';
import { checksOf, isWaiting, phaseOf } from './checks.ts';
import { Findings } from './check-findings.tsx';
import { Groups } from './groups.tsx';
import { inOwnWords } from './owner-words.ts';
import { page } from './page.tsx';
import { ownerOf } from './whom-it-serves.tsx';

const RELOAD_SECONDS = 5;

interface Look {
  /** The page loads itself again. */
  readonly follow: boolean;
  /** What a check found just now, where one was asked for. */
  readonly findings?: readonly Finding[] | undefined;
}

/** What happens now: where the connection stands, told again every few seconds if the reader wants it so. */
export function statusPage(tenant: TenantRow, token: string, base: string, { follow, findings }: Look): Reply<never> {
  const path = `${base}/connect/${token}/status`;
  const phase = phaseOf(tenant);
  // What is connected changes no more that anybody waits for.
  const follows = follow && phase !== 'delta_sync';
  const mayStart = phase === 'revoked' || phase === 'awaiting_consent' || isOf(tenant, 'customer administrator');
  return page({
    status: 200,
    title: titleOf(tenant),
    base,
    tenant,
    step: 'What happens now',
    // A header in place of a meta element: it is off unless asked for, and can be turned off, as WCAG 2.2.1 wants.
    headers: follows ? { Refresh: String(RELOAD_SECONDS) } : {},
    content: (
      <>
        <p>{explanationOf(tenant)}</p>
        <ul class="checks">
          {checksOf(tenant).map(({ words, standing, said, detail, sub }) => (
            <li class={sub ? `${standing} sub` : standing}>
              <span>{words}</span> <span class="standing">{said}</span>
              {detail === undefined ? null : <small>{detail}</small>}
            </li>
          ))}
        </ul>
        {findings !== undefined && isOf(tenant, 'customer administrator') ? null : <InTheWay tenant={tenant} />}
        {findings === undefined ? null : <Findings findings={findings} />}
        {phase === 'delta_sync' ? <Connected tenant={tenant} /> : null}
        {mayStart ? (
          <p>
            <a href={`${base}/connect/${token}`} role="button">
              Open the set-up page
            </a>
          </p>
        ) : null}
        {mayAsk(tenant) ? (
          <p>
            <a href={`${base}/connect/${token}/check`}>Check with Microsoft now</a>
          </p>
        ) : null}
        <p class="quiet">
          {follows ? (
            <>
              This page loads itself again every {RELOAD_SECONDS} seconds. <a href={path}>Stop that</a>
            </>
          ) : (
            <>
              <a href={path}>Look again</a> or <a href={`${path}?follow=true`}>keep this page up to date</a>
            </>
          )}
        </p>
      </>
    ),
  });
}

const isOf = ({ problem }: TenantRow, owner: Owner): boolean =>
  problem !== null && describeProblem(problem).who === owner;

function InTheWay({ tenant }: { readonly tenant: TenantRow }) {
  if (tenant.problem === null) return null;
  const { title, who, steps, requestId } = describeProblem(tenant.problem);
  return (
    <section class="notice bad" aria-labelledby="problem">
      <h2 id="problem">{title}</h2>
      <p>Who can help: {inOwnWords(who)}</p>
      <ul>
        {steps.map((step) => (
          <li>{step}</li>
        ))}
      </ul>
      {requestId === undefined ? null : (
        <p>
          Microsoft's request id: <code>{requestId}</code>
        </p>
      )}
    </section>
  );
}

/** What there is now, and how to go on and how to end it. */
function Connected({ tenant }: { readonly tenant: TenantRow }) {
  const { returnUrl } = tenant.presentation;
  return (
    <>
      <h2>What is kept in sync</h2>
      <Groups groups={tenant.groupsToSync} />
      <h2>How people sign in</h2>
      <p>
        With their work account, where {ownerOf(tenant)} offers it. There is nothing more to set up for it.{' '}
        {returnUrl === undefined ? null : <a href={returnUrl}>Back to {ownerOf(tenant)}</a>}
      </p>
      <h2>How to end it</h2>
      <p>
        Entra admin center &gt; Enterprise applications &gt; (this application) &gt; Properties &gt; Delete. It is
        noticed within the hour, and nothing more is read. What was read is deleted {tenant.retainDays} days later, or
        when {ownerOf(tenant)} deletes the environment.
      </p>
    </>
  );
}

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
    return `Your consent has arrived. ${ownerOf(tenant)} now has to approve it; you need not do anything more.`;
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
      if (tenant.problem !== null && describeProblem(tenant.problem).blocking) {
        return 'People and groups are here. Something waits for a person: see below.';
      }
      return 'People and groups are here, and changes follow by themselves. There is nothing more to do.';
    case 'revoked':
      return 'Nothing more is read from your directory. Consent can be given again on the set-up page.';
  }
}
