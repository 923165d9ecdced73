import type { TenantRow } from '../../store/face/tenants.ts';
import type { Reply } from '../reply.ts';
import type { Carried } from './attempt.ts';
import type { Outcome } from './decide.ts';

/** Whose consent it was, where that is known, and how it began. */
export interface About {
  readonly tenant: TenantRow;
  readonly via: Carried['via'];
}

/** What a step comes to: a reply that leads on, or an outcome to be shown. */
export type ConsentResult =
  | { readonly is: 'reply'; readonly reply: Reply<never> }
  | { readonly is: 'outcome'; readonly outcome: Outcome; readonly about: About | undefined };

export const ended = (outcome: Outcome, about?: About): ConsentResult => ({ is: 'outcome', outcome, about });
