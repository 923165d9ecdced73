import type { GraphFailure } from './failures.ts';

export type GrantOutcome =
  | {
      readonly kind: 'granted' | 'not_effective';
      /** Of the profile's permissions, those that are granted neither by assignment nor in the token. */
      readonly missing: readonly string[];
      readonly requestId?: string;
    }
  | Extract<GraphFailure, { kind: 'throttled' | 'unavailable' }>;
