import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Log } from './deps.ts';
import { codeOf, describeError } from './redact.ts';

/**
 * Keeps what errors say out of Temporal's history. An error that is not ours to throw would arrive there with its whole
 * message and stack, and everyone who may see the UI reads it; here it becomes a code, and the rest a line of our log.
 */
export function failureInterceptor(log: Log) {
  return (context: Context) => ({
    inbound: {
      async execute<Input>(input: Input, next: (input: Input) => Promise<unknown>): Promise<unknown> {
        try {
          return await next(input);
        } catch (error) {
          const { activityType, attempt, workflowExecution } = context.info;
          const where = { activity: activityType, attempt, workflowId: workflowExecution?.workflowId };
          throw presentable(error, context.cancellationSignal.aborted, (told) => {
            log.error({ ...where, error: told }, 'An activity failed');
          });
        }
      },
    },
  });
}

/** The error as histories may show it; `tell` gets what they may not. */
export function presentable(error: unknown, cancelled: boolean, tell: (error: object) => void): Error {
  if (error instanceof CancelledFailure || (cancelled && isAbort(error))) return new CancelledFailure('Cancelled');
  // Made by our activities, in their own words.
  if (error instanceof ApplicationFailure) return error;
  tell(describeError(error));
  const failure = ApplicationFailure.create({ type: 'Internal', message: codeOf(error) ?? 'internal error' });
  // Where it happened stands in the log.
  failure.stack = '';
  return failure;
}

function isAbort(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}
