import { aadstsIn, describeAadsts } from '../../domain/catalogue/catalogue.ts';
import type { Owner } from '../../domain/catalogue/remedies.ts';
import type { SignInOutcome } from '../sign-in/decide.ts';

export interface SignInWords {
  readonly status: number;
  readonly title: string;
  readonly what: string;
  readonly who: Owner;
  readonly steps: readonly string[];
  /** A second try makes sense with another account. */
  readonly otherAccount: boolean;
}

type Entry = Omit<SignInWords, 'otherAccount'> & { readonly otherAccount?: true };
type PlainKind = Exclude<SignInOutcome['kind'], 'microsoft_error'>;

const BEGIN_AGAIN = ['Go back to where you wanted to sign in and begin again.'];

const WORDS: Readonly<Record<PlainKind, Entry>> = {
  no_state: {
    status: 400,
    title: 'This answer belongs to no request of ours',
    what: 'Microsoft sent you here, but without the mark that says which sign-in it answers.',
    who: 'user',
    steps: BEGIN_AGAIN,
  },
  unknown: {
    status: 400,
    title: 'This sign-in is not known here',
    what: 'It was never begun here, is long over, or its environment is no longer there.',
    who: 'user',
    steps: BEGIN_AGAIN,
  },
  used: {
    status: 409,
    title: 'This sign-in was used already',
    what: "Each answer of Microsoft's counts once. You may have reloaded the page or gone back to it.",
    who: 'user',
    steps: BEGIN_AGAIN,
  },
  expired: {
    status: 410,
    title: 'This took too long',
    what: 'A sign-in has to be finished within an hour.',
    who: 'user',
    steps: BEGIN_AGAIN,
  },
  other_browser: {
    status: 403,
    title: 'This began in another browser',
    what: 'A sign-in has to begin and end in the same browser, with cookies allowed.',
    who: 'user',
    steps: ['Begin again in this browser. If a link to this page was sent to you by somebody, do not use it.'],
  },
  malformed: {
    status: 400,
    title: "Microsoft's answer cannot be read",
    what: 'Something that has to be in it is missing or was changed on the way.',
    who: 'user',
    steps: BEGIN_AGAIN,
  },
  cancelled: {
    status: 403,
    title: 'You did not sign in',
    what: "The sign-in was cancelled on Microsoft's page, or what it asks for was declined.",
    who: 'user',
    steps: ['Sign in after all, or go back.'],
  },
  proof_failed: {
    status: 403,
    title: 'The sign-in could not be verified',
    what: 'What Microsoft sent about your sign-in did not check out.',
    who: 'product operator',
    steps: ['Try again once. If it lasts, send what stands below to the support of this product.'],
  },
  microsoft_unavailable: {
    status: 503,
    title: 'Microsoft cannot be reached',
    what: 'Our server could not ask Microsoft to confirm your sign-in.',
    who: 'nobody: wait',
    steps: ['Try again in a few minutes.'],
  },
  revoked: {
    status: 403,
    title: 'The connection was withdrawn',
    what: 'Your organization has withdrawn the connection to this product, so nobody of it can sign in.',
    who: 'customer administrator',
    steps: ['Ask your administrator whether that is meant. With the set-up link they can connect again.'],
  },
  first_sync: {
    status: 403,
    title: 'Your organization is being read for the first time',
    what: 'People and groups are not all here yet, so it is not known yet what you may see.',
    who: 'nobody: wait',
    steps: ['Try again in some minutes.'],
  },
  not_in_mirror: {
    status: 403,
    title: 'Your account is not known here yet',
    what: 'Microsoft signed you in, but you are not among the people who are synced. Your account may be new: it is being looked for now. Or your organization syncs only some groups, and you are in none of them.',
    who: 'customer administrator',
    steps: [
      'Try again in a minute.',
      'If it lasts, ask your administrator whether you are in one of the groups that are synced.',
    ],
    otherAccount: true,
  },
  deleted: {
    status: 403,
    title: 'Your account was deleted',
    what: "It stands among the deleted users of your organization's directory.",
    who: 'customer administrator',
    steps: ['Entra admin center > Users > Deleted users: restore it, if the deletion was not meant.'],
    otherAccount: true,
  },
  disabled: {
    status: 403,
    title: 'Your account is disabled',
    what: "It is switched off in your organization's directory, as far as it is known here.",
    who: 'customer administrator',
    steps: [
      'Entra admin center > Users > (the person) > Properties: switch the account on.',
      'If it was switched on a moment ago, try again in a minute.',
    ],
    otherAccount: true,
  },
  unassigned: {
    status: 403,
    title: 'You are not assigned to this application',
    what: 'Only people who are assigned to it may sign in, and neither you nor a group that you are a direct member of is.',
    who: 'customer administrator',
    steps: [
      'Enterprise applications > (this application) > Users and groups: assign the person, or a group that they are a direct member of; nested groups do not count.',
    ],
    otherAccount: true,
  },
  assignment_unknown: {
    status: 503,
    title: 'Your assignment could not be checked',
    what: 'Only people who are assigned to this application may sign in, and Microsoft did not tell us who is.',
    who: 'nobody: wait',
    steps: ['Try again in a few minutes. If it lasts, send what stands below to the support of this product.'],
  },
};

/** What people are told in the place of a title where Microsoft's number is a frequent one. */
const TITLES: readonly (readonly [numbers: readonly number[], title: string])[] = [
  [[50105], 'You are not assigned to this application'],
  [[65001, 90093, 90094, 90095], 'Your organization has to consent first'],
  [[700016, 700011, 7000229], 'Your organization has removed this application'],
  [[7000112, 70001], 'Your organization has switched this application off'],
  [[53000, 53001, 53002, 53003, 53004, 530032, 50131], 'A policy of your organization blocks this sign-in'],
  [[50057], 'Your account is disabled'],
  [[50020, 50034, 16000], 'Another account is needed'],
];
const OTHER_ACCOUNT = new Set([50105, 50057, 50020, 50034, 16000]);

export function wordsOf(outcome: SignInOutcome): SignInWords {
  if (outcome.kind !== 'microsoft_error') return { otherAccount: false, ...WORDS[outcome.kind] };
  const number = aadstsIn(outcome.code);
  const title = TITLES.find(([numbers]) => number !== undefined && numbers.includes(number))?.[1];
  const described = number === undefined ? undefined : describeAadsts(number);
  return {
    status: described?.class === 'transient' ? 503 : 403,
    title: title ?? 'Microsoft did not sign you in',
    what: described ? `${described.title}.` : `Microsoft ended the sign-in with ${outcome.code.slice(0, 200)}.`,
    who: described?.who ?? 'product operator',
    steps: described?.steps ?? ['Try again once. If it lasts, send what stands below to the support of this product.'],
    otherAccount: number !== undefined && OTHER_ACCOUNT.has(number),
  };
}
