import type { VNode } from 'preact';
import { aadstsIn, describeAadsts } from '../../domain/catalogue/catalogue.ts';
import { REMEDIES, type Owner } from '../../domain/catalogue/remedies.ts';
import type { Outcome } from '../consent/decide.ts';
import { inOwnWords } from './owner-words.ts';
import type { Recipient } from './outcome-message.ts';

export interface Words {
  readonly status: number;
  readonly title: string;
  readonly happened: VNode;
  readonly steps: readonly string[];
  /** Whom the ready text is for; null where nobody else is needed. */
  readonly ask: Recipient | null;
}

const OPEN_LINK_AGAIN = 'Open your set-up link again, and go through all steps in one browser, with cookies allowed.';
const ASK_SENDER = 'Ask whoever sent you the set-up link.';

/** Every outcome has a page of its own: a title, what happened, and who does what. */
export function wordsOf(outcome: Outcome): Words {
  switch (outcome.kind) {
    case 'no_state':
      return {
        status: 400,
        title: 'This answer belongs to no request of ours',
        happened: <p>Microsoft sent you here, but without the mark that says which request it answers.</p>,
        steps: [OPEN_LINK_AGAIN],
        ask: null,
      };
    case 'outside':
      return {
        status: 400,
        title: 'Consent was given outside the set-up link',
        happened: (
          <p>
            Microsoft says that consent was given. It was not asked for by a set-up link of ours, so that it is not
            known which environment the directory is to be connected to.
          </p>
        ),
        steps: [
          'Open the set-up link of your environment and choose Connect: it shows that you administer the directory, and connects it.',
          'Have you no set-up link? Ask whoever runs the product for one.',
        ],
        ask: 'product',
      };
    case 'unknown':
      return {
        status: 400,
        title: 'This answer is not known here',
        happened: <p>It answers a request that was never made here, or one that is long over.</p>,
        steps: [OPEN_LINK_AGAIN],
        ask: null,
      };
    case 'used':
      return {
        status: 409,
        title: 'This answer was used already',
        happened: (
          <p>Each answer counts once. You may have reloaded the page, gone back to it, or answered in another tab.</p>
        ),
        steps: ['Open your set-up link: it shows how the connection stands, and lets you begin again.'],
        ask: null,
      };
    case 'expired':
      return {
        status: 410,
        title: 'This took too long',
        happened: <p>Each step has to be answered within an hour.</p>,
        steps: [OPEN_LINK_AGAIN],
        ask: null,
      };
    case 'other_browser':
      return {
        status: 403,
        title: 'This began in another browser',
        happened: <p>Start and end have to happen in the same browser, with cookies allowed.</p>,
        steps: [
          OPEN_LINK_AGAIN,
          'Did somebody send you this address? Close it: what they began must not be finished by you.',
        ],
        ask: null,
      };
    case 'cancelled':
      return {
        status: 403,
        title: 'Consent was cancelled',
        happened: <p>You left Microsoft's page without accepting. Without consent nothing can be read.</p>,
        steps: ['Was it by chance, or have your questions been answered? Begin again.', ASK_SENDER],
        ask: 'product',
      };
    case 'declined':
      return {
        status: 403,
        title: 'Consent was declined',
        happened: (
          <p>
            The request was refused at Microsoft (<code>{outcome.code}</code>). Without consent nothing can be read from
            your directory.
          </p>
        ),
        steps: REMEDIES.acceptConsent,
        ask: 'administrator',
      };
    case 'needs_administrator':
      return {
        ...microsofts(outcome.code),
        status: 403,
        title: 'Microsoft asks for an administrator',
        ask: 'administrator',
      };
    case 'microsoft_error':
      return { ...microsofts(outcome.code), status: 400, title: 'Microsoft reports an error' };
    case 'malformed':
      return {
        status: 400,
        title: "Microsoft's answer cannot be read",
        happened: <p>Something that has to be in it is missing or was changed on the way.</p>,
        steps: [OPEN_LINK_AGAIN],
        ask: 'product',
      };
    case 'wrong_directory':
      return {
        status: 403,
        title: 'This is another directory',
        happened: <p>The directory that you signed in to is not the one that is to be connected.</p>,
        steps: [
          'Sign out at Microsoft, or use a private window, and sign in with an administrator account of the right organization.',
          'Is it the right one? Then another one is expected: ask whoever sent you the set-up link.',
        ],
        ask: 'product',
      };
    case 'not_administrator':
      return {
        status: 403,
        title: 'An administrator is needed',
        happened: (
          <p>
            {outcome.account === null ? 'The account that you signed in with' : <strong>{outcome.account}</strong>} is
            not a Global Administrator or Privileged Role Administrator of this directory.
          </p>
        ),
        steps: [
          'Ask one of them to open the set-up link.',
          'If the role was given to you a moment ago, or has to be activated, sign out and in again.',
        ],
        ask: 'administrator',
      };
    case 'proof_failed':
      return {
        status: 403,
        title: 'The sign-in could not be verified',
        happened: (
          <p>
            What Microsoft sent about your sign-in did not check out (<code>{outcome.code}</code>).
          </p>
        ),
        steps: [OPEN_LINK_AGAIN, 'If it happens again, the product has to look into it.'],
        ask: 'product',
      };
    case 'microsoft_unavailable':
      return {
        status: 503,
        title: 'Microsoft cannot be reached',
        happened: <p>Our server could not ask Microsoft to confirm your sign-in.</p>,
        steps: ['Try again in a few minutes. Microsoft keeps your consent meanwhile.'],
        ask: 'product',
      };
    case 'directory_taken':
      return {
        status: 409,
        title: 'This directory is connected already',
        happened: <p>Another environment is connected to it, and a directory is connected once.</p>,
        steps: [
          'Was another environment meant? Open its set-up link.',
          'Should both read it? The product can allow that.',
        ],
        ask: 'product',
      };
    case 'bound_to_another':
      return {
        status: 409,
        title: 'This environment has another directory',
        happened: <p>It is connected to a different directory, and stays so.</p>,
        steps: ['Sign in with an account of that directory.', 'Or ask for a set-up link of a new environment.'],
        ask: 'product',
      };
    case 'link_revoked':
      return {
        status: 410,
        title: 'Your set-up link was taken back',
        happened: (
          <p>
            While you were at it, the link by which you began was replaced or revoked. Nothing was connected; Microsoft
            may have your consent already.
          </p>
        ),
        steps: ['Ask whoever sent you the link for a new one, and begin again with it.'],
        ask: null,
      };
    case 'not_mine':
      return {
        status: 200,
        title: 'You said that this is not right',
        happened: <p>The directory was not connected to the environment that you saw.</p>,
        steps: [
          'Microsoft still has your consent. To take it back: Entra admin center > Enterprise applications > (this application) > Properties > Delete.',
          'Did you sign in with the wrong account? Begin again with the right one.',
          'Is the environment not yours? Tell whoever sent you the set-up link.',
        ],
        ask: 'product',
      };
  }
}

/** What the catalogue knows of Microsoft's number; an error without one is shown as it came. */
function microsofts(code: string): Omit<Words, 'status' | 'title'> {
  const number = aadstsIn(code);
  if (number === undefined) {
    return {
      happened: (
        <p>
          Microsoft ended the request with <code>{code}</code>.
        </p>
      ),
      steps: REMEDIES.unknown,
      ask: 'product',
    };
  }
  const { title, who, steps, link } = describeAadsts(number);
  return {
    happened: (
      <p>
        <strong>{title}.</strong> Who can help: {inOwnWords(who)}. <a href={link}>What Microsoft says about it</a>
      </p>
    ),
    steps,
    ask: ASK[who],
  };
}

const ASK: Readonly<Record<Owner, Recipient | null>> = {
  'customer administrator': 'administrator',
  user: null,
  'product operator': 'product',
  Microsoft: null,
  'nobody: wait': null,
};
