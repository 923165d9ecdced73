/** Names that other systems rely on; see the Temporal section of ARCHITECTURE.md. */

export const TENANT_WORKFLOW = 'tenantWorkflow';

/** The workflow of an environment, by the environment's name: at most one is open, which makes the id the lock. */
export const workflowIdOf = (tenantId: string): string => `tenant/${tenantId}`;

/** Microsoft told of a change: a signal without an intent, since the next round by the interval would heal its loss. */
export const HINT_SIGNAL = 'hint';

/** All calls to Microsoft have a queue of their own, so that they can be limited and scaled apart. */
export const graphTaskQueueOf = (taskQueue: string): string => `${taskQueue}-graph`;

export const SEARCH_ATTRIBUTES = {
  tenant: 'EntraSyncTenant',
  state: 'EntraSyncState',
  problem: 'EntraSyncProblem',
} as const;

/** Application permissions of the profile `directory`. */
export const DIRECTORY_PERMISSIONS = ['User.Read.All', 'Group.Read.All', 'Application.Read.All'] as const;

/** Without these nothing can be mirrored; the rest only makes diagnoses better. */
export const REQUIRED_PERMISSIONS: readonly string[] = ['User.Read.All', 'Group.Read.All'];
