import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { workflowIdOf } from '../domain/names.ts';
import type { ActivityDeps } from './deps.ts';

const LONGEST_WAIT_S = 10;
const ADVICE =
  'Give each installation a namespace (TEMPORAL_NAMESPACE) or a task queue (TEMPORAL_TASK_QUEUE) of its own. ' +
  'Where the database was restored to a time before this tenant, terminate its workflow.';

/**
 * Refuses work that is another installation's. Two on one namespace and task queue get each other's activities, which carry
 * a tenant's number alone: here it may belong to somebody else, whose mirror would be written or purged. Temporal offers what
 * is refused again, until a worker of the right installation takes it.
 */
export function ownTenants({ store, log }: Pick<ActivityDeps, 'store' | 'log'>) {
  // A number keeps its name for good, past the tenant's end: each is asked for once.
  const names = new Map<number, string>();
  const told = new Set<string>();
  const nameOf = async (no: number): Promise<string | undefined> => {
    const name = names.get(no) ?? (await store.tenants.nameOf(no));
    if (name !== undefined) names.set(no, name);
    return name;
  };

  return (context: Context) => ({
    inbound: {
      async execute<Input extends { readonly args: readonly unknown[] }>(
        input: Input,
        next: (input: Input) => Promise<unknown>,
      ): Promise<unknown> {
        const tenantNo = tenantNoIn(input.args[0]);
        const workflowId = context.info.workflowExecution?.workflowId ?? '';
        const name = tenantNo === undefined ? undefined : await nameOf(tenantNo);
        if (name !== undefined && workflowIdOf(name) === workflowId) return next(input);
        if (!told.has(workflowId)) {
          told.add(workflowId);
          log.error(
            { workflowId, tenantNo, here: name ?? null, activity: context.info.activityType },
            `Work of another installation was refused: what this workflow calls tenant ${tenantNo} is not in this database. ${ADVICE}`,
          );
        }
        throw ApplicationFailure.create({
          type: 'OtherInstallation',
          message: `Tenant ${tenantNo} of ${workflowId} is not in the database of the worker that got this. ${ADVICE}`,
          // Whoever asked last for work is given it first, which may be us again and again: the wait must not double.
          nextRetryDelay: Math.min(context.info.attempt, LONGEST_WAIT_S) * 1_000,
        });
      },
    },
  });
}

function tenantNoIn(argument: unknown): number | undefined {
  if (typeof argument !== 'object' || argument === null || !('tenantNo' in argument)) return undefined;
  return typeof argument.tenantNo === 'number' ? argument.tenantNo : undefined;
}
