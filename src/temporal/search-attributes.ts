import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../domain/names.ts';
import { createBackoff } from './backoff.ts';
import type { WaitOptions } from './connection.ts';
import { GRPC, statusOf } from './grpc-status.ts';
import { reasonOf } from './log.ts';
import type { TemporalSettings } from './settings.ts';

/** All are keywords: compared whole, never taken apart into words. */
export const SEARCH_ATTRIBUTE_NAMES: readonly string[] = Object.values(SEARCH_ATTRIBUTES);

/** `temporal.api.enums.v1.IndexedValueType` */
const KEYWORD = 2;
const CALL_TIMEOUT_MS = 10_000;
const SEEN_POLL_MS = 250;
const SEEN_WITHIN_MS = 30_000;

type Reached = Pick<TemporalSettings, 'address' | 'namespace'>;

/** The command that an operator runs where we may not register them ourselves. */
export function searchAttributeCommand({ address, namespace }: Reached, names = SEARCH_ATTRIBUTE_NAMES): string {
  // A type for each name: of names without one of their own the CLI says nothing, and adds none.
  const list = names.map((name) => `--name ${name} --type Keyword`).join(' ');
  return `temporal operator search-attribute create --address ${address} --namespace ${namespace} ${list}`;
}

/**
 * Registers the search attributes that are missing. Where that is forbidden, prints the exact command and waits until
 * somebody has run it: a workflow that sets an unregistered one would be stuck.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  reached: Reached,
  { log, signal }: WaitOptions,
): Promise<void> {
  const { namespace } = reached;
  const backoff = createBackoff(signal);
  for (;;) {
    let missing: readonly string[] = [];
    try {
      missing = await findMissing(connection, namespace);
      if (missing.length === 0) return;
      await register(connection, namespace, missing);
      await untilSeen(connection, namespace, signal);
      log.info(`Registered the search attributes ${missing.join(', ')} in namespace ${namespace}`);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      log.warn(
        missing.length === 0
          ? `The search attributes in namespace ${namespace} could not be checked (${reasonOf(error)}). Trying again`
          : `The search attributes ${missing.join(', ')} are missing in namespace ${namespace} and could not be ` +
              `registered (${reasonOf(error)}). Run this, or add them as Keyword in Temporal Cloud's UI; work starts ` +
              `as soon as they exist:\n  ${searchAttributeCommand(reached, missing)}`,
      );
    }
    await backoff.wait();
  }
}

/**
 * Asks by a query that names the attribute: unlike the operator's list, everybody who may read workflows may do so,
 * on Temporal Cloud too.
 */
async function findMissing(connection: Connection, namespace: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const name of SEARCH_ATTRIBUTE_NAMES) {
    try {
      await within(connection, () =>
        connection.workflowService.countWorkflowExecutions({ namespace, query: `${name} = 'none'` }),
      );
    } catch (error) {
      if (statusOf(error) !== GRPC.invalidArgument) throw error;
      missing.push(name);
    }
  }
  return missing;
}

async function register(connection: Connection, namespace: string, names: readonly string[]): Promise<void> {
  try {
    await within(connection, () =>
      connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(names.map((name) => [name, KEYWORD])),
      }),
    );
  } catch (error) {
    // Another process of ours was quicker.
    if (statusOf(error) !== GRPC.alreadyExists) throw error;
  }
}

/** A new attribute is seen about a second later. */
async function untilSeen(connection: Connection, namespace: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + SEEN_WITHIN_MS;
  for (;;) {
    const missing = await findMissing(connection, namespace);
    if (missing.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`${missing.join(', ')} cannot be queried as Keyword; was another type registered?`);
    await sleep(SEEN_POLL_MS, undefined, signal ? { signal } : {});
  }
}

async function within<T>(connection: Connection, call: () => Promise<T>): Promise<T> {
  return connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, call);
}
