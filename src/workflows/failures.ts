import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { TOKEN_FAILURES, type TokenFailure, type RefusalDetails } from '../domain/activities.ts';
import { REQUIRED_PERMISSIONS } from '../domain/names.ts';
import type { ProblemRecord } from '../domain/problem.ts';

/** What went wrong, as far as the workflow needs to know: a type, and what an operator would quote. */
export interface Failure extends RefusalDetails {
  readonly type: string;
  readonly missing?: readonly string[];
}

/** Takes an activity's failure apart; anything else is a bug and goes on up, so that the task is retried until it is mended. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return { type: 'Timeout' };
  const details = cause.details?.[0] as RefusalDetails | undefined;
  return { type: cause.type ?? 'Unknown', ...details };
}

/** Microsoft says that we have no business in this directory: not consented, switched off, or nothing granted at all. */
export function isRefusal({ type, missing = [] }: Failure): boolean {
  if (type === 'Forbidden') return REQUIRED_PERMISSIONS.every((permission) => missing.includes(permission));
  return type === 'ConsentMissing' || type === 'ApplicationDisabled';
}

export function problemOf(failure: Failure): Omit<ProblemRecord, 'since'> {
  const quoted = {
    ...(failure.aadsts === undefined ? {} : { aadsts: failure.aadsts }),
    ...(failure.graphCode === undefined ? {} : { graphCode: failure.graphCode }),
    ...(failure.requestId === undefined ? {} : { requestId: failure.requestId }),
  };
  if (isTokenFailure(failure.type)) return { code: TOKEN_FAILURES[failure.type], ...quoted };
  switch (failure.type) {
    case 'Forbidden':
      return failure.missing?.length
        ? { code: 'permissions_missing', permissions: failure.missing, ...quoted }
        : { code: 'graph_refused', ...quoted };
    case 'TokenRejected':
      return { code: 'token_refused', ...quoted };
    case 'GraphUnavailable':
    case 'Timeout':
      return { code: 'microsoft_unavailable', ...quoted };
    case 'GraphThrottled':
      return { code: 'throttled', ...quoted };
    case 'FeedFaulty':
      return { code: 'feed_faulty', ...quoted };
    case 'GraphRefused':
      return { code: 'graph_refused', ...quoted };
    default:
      return { code: 'internal', ...quoted };
  }
}

function isTokenFailure(type: string): type is TokenFailure {
  return type in TOKEN_FAILURES;
}
