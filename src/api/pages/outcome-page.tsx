import type { VNode } from 'preact';
import { aadstsIn, describeAadsts } from '../../domain/catalogue/catalogue.ts';
import type { Outcome } from '../consent/decide.ts';
import type { Reply } from '../reply.ts';
import { page } from './page.tsx';

interface Words {
  readonly status: number;
  readonly title: string;
  readonly content: VNode;
}

/** A consent that came to nothing: what happened, that nothing was changed, and what to do. */
export function outcomePage(outcome: Outcome, base: string, retryUrl: string | undefined): Reply<never> {
  const { status, title, content } = wordsOf(outcome);
  return page({
    status,
    title,
    base,
    content: (
      <>
        {content}
        <p>Nothing was changed.</p>
        {retryUrl === undefined ? (
          <p>To try again, open your set-up link once more.</p>
        ) : (
          <p>
            <a href={retryUrl}>Go back and try again</a>
          </p>
        )}
      </>
    ),
  });
}

/** What the catalogue knows of Microsoft's number; an error without one is shown as it came. */
function CodeInWords({ code }: { readonly code: string }): VNode {
  const number = aadstsIn(code);
  if (number === undefined) {
    return (
      <p>
        Microsoft ended the request with <code>{code}</code>.
      </p>
    );
  }
  const { title, who, steps, link } = describeAadsts(number);
  return (
    <>
      <p>
        <strong>{title}</strong>. Who can help: {who}.
      </p>
      <ul>
        {steps.map((step) => (
          <li>{step}</li>
        ))}
      </ul>
      <p>
        <a href={link}>What Microsoft says about it</a>
      </p>
    </>
  );
}

function wordsOf(outcome: Outcome): Words {
  switch (outcome.kind) {
    case 'no_state':
      return {
        status: 400,
        title: 'This answer belongs to no request of ours',
        content: <p>Microsoft sent you here, but without the mark that says which request it answers.</p>,
      };
    case 'unknown':
      return {
        status: 400,
        title: 'This answer is not known here',
        content: <p>It answers a request that was never made here, or one that is long over.</p>,
      };
    case 'used':
      return {
        status: 409,
        title: 'This answer was used already',
        content: <p>Each answer of Microsoft's counts once. You may have reloaded the page or gone back to it.</p>,
      };
    case 'expired':
      return {
        status: 410,
        title: 'This took too long',
        content: <p>Microsoft's answer has to arrive within an hour of the start.</p>,
      };
    case 'other_browser':
      return {
        status: 403,
        title: 'This began in another browser',
        content: <p>Start and end have to happen in the same browser, with cookies allowed.</p>,
      };
    case 'declined':
      return {
        status: 403,
        title: 'Consent was declined',
        content: (
          <p>
            The request was cancelled or refused at Microsoft (<code>{outcome.code}</code>). Without consent nothing can
            be read from your directory.
          </p>
        ),
      };
    case 'microsoft_error':
      return {
        status: 400,
        title: 'Microsoft reports an error',
        content: (
          <>
            <CodeInWords code={outcome.code} />
            {outcome.description === null ? null : (
              <figure>
                <blockquote>{outcome.description.slice(0, 1000)}</blockquote>
                <figcaption>Send this to whoever looks after your directory, or to our support.</figcaption>
              </figure>
            )}
          </>
        ),
      };
    case 'malformed':
      return {
        status: 400,
        title: "Microsoft's answer cannot be read",
        content: <p>Something that has to be in it is missing or was changed on the way.</p>,
      };
    case 'wrong_directory':
      return {
        status: 403,
        title: 'This is another directory',
        content: (
          <p>
            The directory that you signed in to is not the one that is to be connected. Sign out at Microsoft, or use a
            private window, and sign in with an administrator account of the right organization.
          </p>
        ),
      };
    case 'not_administrator':
      return {
        status: 403,
        title: 'An administrator is needed',
        content: (
          <p>
            {outcome.account === null ? 'The account that you signed in with' : <strong>{outcome.account}</strong>} is
            not a Global Administrator or Privileged Role Administrator of this directory. Ask one of them to open the
            set-up link. If the role was given to you a moment ago, sign out and in again.
          </p>
        ),
      };
    case 'proof_failed':
      return {
        status: 403,
        title: 'The sign-in could not be verified',
        content: (
          <p>
            What Microsoft sent about your sign-in did not check out (<code>{outcome.code}</code>).
          </p>
        ),
      };
    case 'microsoft_unavailable':
      return {
        status: 503,
        title: 'Microsoft cannot be reached',
        content: <p>Our server could not ask Microsoft to confirm your sign-in. Please try again in a few minutes.</p>,
      };
    case 'directory_taken':
      return {
        status: 409,
        title: 'This directory is connected already',
        content: <p>Another environment is connected to it. Ask whoever sent you the set-up link.</p>,
      };
    case 'bound_to_another':
      return {
        status: 409,
        title: 'This environment has another directory',
        content: (
          <p>
            It is connected to a different directory, and stays so. Sign in with an account of that directory, or ask
            whoever sent you the set-up link for a new environment.
          </p>
        ),
      };
  }
}
