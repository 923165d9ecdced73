import type { VNode } from 'preact';
import type { Reply } from '../reply.ts';
import type { About } from '../sign-in/callback.ts';
import type { SignInOutcome } from '../sign-in/decide.ts';
import { returnWith } from '../sign-in/return-url.ts';
import { inOwnWords } from './owner-words.ts';
import { page } from './page.tsx';
import { wordsOf } from './sign-in-words.ts';

/** Nobody came in: what happened, who can help, what to do next, and what to send them. */
export function signInPage(outcome: SignInOutcome, about: About | undefined, base: string, now: Date): Reply<never> {
  const { status, title, what, who, steps, otherAccount } = wordsOf(outcome);
  return page({
    status,
    title,
    base,
    tenant: about?.tenant,
    content: (
      <>
        <p>{what}</p>
        <p>
          Who can help: <strong>{inOwnWords(who)}</strong>.
        </p>
        <ul>
          {steps.map((step) => (
            <li>{step}</li>
          ))}
        </ul>
        {about === undefined ? (
          <p>To try again, go back to where you wanted to sign in.</p>
        ) : (
          <WaysOn about={about} base={base} otherAccount={otherAccount} />
        )}
        <Facts outcome={outcome} about={about} now={now} />
      </>
    ),
  });
}

function WaysOn({ about, base, otherAccount }: { about: About; base: string; otherAccount: boolean }): VNode {
  const { tenant, returnTo, productState } = about;
  const query = new URLSearchParams({
    return_to: returnTo,
    ...(productState === undefined ? {} : { state: productState }),
    ...(otherAccount ? { prompt: 'select_account' } : {}),
  });
  return (
    <ul>
      <li>
        <a href={`${base}/signin/${encodeURIComponent(tenant.id)}?${query.toString()}`}>
          {otherAccount ? 'Sign in with another account' : 'Try again'}
        </a>
      </li>
      <li>
        <a href={returnWith(returnTo, { error: 'access_denied', state: productState })}>Go back without signing in</a>
      </li>
    </ul>
  );
}

/** For whoever helps: nothing of the person, who knows that best. */
function Facts({ outcome, about, now }: { outcome: SignInOutcome; about: About | undefined; now: Date }): VNode {
  const facts: [string, string][] = [
    ['What', 'code' in outcome ? `${outcome.kind}, ${outcome.code}` : outcome.kind],
    ['When', now.toISOString()],
  ];
  if (about !== undefined) {
    const { tenant } = about;
    facts.push(['Environment', tenant.name ?? tenant.id], ['Directory', tenant.entraTenantId ?? 'none']);
    facts.push(['Directory read', tenant.asOf ?? 'not yet']);
  }
  const said = outcome.kind === 'microsoft_error' ? outcome.description : null;
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">To be sent to whoever helps</h2>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code>
            </dd>
          </>
        ))}
      </dl>
      {said === null ? null : (
        <figure>
          <blockquote>{said.slice(0, 1000)}</blockquote>
          <figcaption>Microsoft's words</figcaption>
        </figure>
      )}
    </section>
  );
}

/** The same for every id and address that leads nowhere, so that nothing can be learned from it. */
export function noSuchSignInPage(base: string): Reply<never> {
  return page({
    status: 404,
    title: 'Nobody can sign in here',
    base,
    content: (
      <>
        <p>
          There is no connected environment of this name that would send you on to this address. The link may be
          incomplete, or your organization's connection may have been withdrawn.
        </p>
        <p>Go back to where you wanted to sign in and begin again. If it lasts, tell whoever runs that product.</p>
      </>
    ),
  });
}

export function signedOutPage(base: string): Reply<never> {
  return page({
    status: 200,
    title: 'You are signed out',
    base,
    content: <p>You may close this page.</p>,
  });
}
