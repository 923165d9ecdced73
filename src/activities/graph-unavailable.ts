import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { RefusalDetails } from '../domain/activities.ts';

/**
 * Microsoft cannot be reached, or answers with errors: expected now and then, so it is no line in the error metrics.
 * Without a stated wait the retry policy's own grows from one attempt to the next.
 */
export function graphUnavailable(details: {
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
}): ApplicationFailure {
  const { retryAfterMs, requestId } = details;
  return ApplicationFailure.create({
    type: 'GraphUnavailable',
    message: 'Microsoft Graph cannot be reached, or answers with errors',
    category: ApplicationFailureCategory.BENIGN,
    details: [requestId === undefined ? {} : { requestId }],
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

/** Microsoft asks to wait, for this tenant or for all. */
export function graphThrottled(retryAfterMs: number | undefined): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'GraphThrottled',
    message: 'Microsoft asks us to slow down',
    category: ApplicationFailureCategory.BENIGN,
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

/** Graph understood the request and will not: no retry within the round changes that. `code` is Graph's own. */
export function graphRefused(details: { readonly code: string; readonly requestId?: string | undefined }) {
  const { code, requestId } = details;
  return ApplicationFailure.create({
    type: 'GraphRefused',
    message: `Microsoft Graph refused: ${code}`,
    nonRetryable: true,
    details: [{ graphCode: code, ...(requestId === undefined ? {} : { requestId }) } satisfies RefusalDetails],
  });
}

/** A full round whose links lead in a circle, or on and on without anything new: trying at once would end so again. */
export function feedFaulty(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('The links of a full round lead nowhere', 'FeedFaulty');
}
