import { Connection } from '@temporalio/client';

/** Histories and descriptions of a tenant's workflow, all its runs, as text. */
export async function keptByTemporal(namespace: string, tenantId: string): Promise<readonly string[]> {
  const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
  const kept: string[] = [];
  try {
    const { executions } = await connection.workflowService.listWorkflowExecutions({
      namespace,
      query: `WorkflowId="tenant/${tenantId}"`,
    });
    for (const { execution } of executions ?? []) {
      const which = { namespace, ...(execution ? { execution } : {}) };
      const { history } = await connection.workflowService.getWorkflowExecutionHistory(which);
      kept.push(readable(history), readable(await connection.workflowService.describeWorkflowExecution(which)));
    }
  } finally {
    await connection.close();
  }
  return kept;
}

/** Text of a message of Temporal's, with payloads as the text that they are: its JSON form has them in base64. */
function readable(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry !== 'string' || !/^[A-Za-z0-9+/]{8,}={0,2}$/.test(entry)) return entry;
    return `${entry} ${Buffer.from(entry, 'base64').toString('utf8')}`;
  });
}
