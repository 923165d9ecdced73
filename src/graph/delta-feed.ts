import type { DeltaPage, Feed } from '../domain/directory.ts';
import type { GraphFailure } from './failures.ts';

export interface FeedPageRequest {
  readonly feed: Feed;
  /** A link of an earlier page, called as it is; undefined for the initial query. */
  readonly link: string | undefined;
  /** Whether `link` is a deltaLink: some answers mean "expired" only then (4.5). */
  readonly fromDelta: boolean;
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

export type FeedPageOutcome =
  | {
      readonly kind: 'page';
      readonly page: DeltaPage;
      /** What of the page was left out, by reason: for the log, never a reason to stop. */
      readonly skipped: Readonly<Record<string, number>>;
    }
  | GraphFailure;
