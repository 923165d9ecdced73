import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { createBackoff } from './backoff.ts';
import { hintFor } from './grpc-status.ts';
import { reasonOf, type Log } from './log.ts';
import type { TemporalSettings } from './settings.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 10_000;

export interface WaitOptions {
  readonly log: Log;
  /** Ends the waiting: the process is being stopped. */
  readonly signal?: AbortSignal;
}

/**
 * Connects, and keeps trying while Temporal is down, the namespace is missing or the key is refused: each of these is
 * mended outside this process. Every attempt says which address and what was wrong.
 */
export async function waitForTemporal(settings: TemporalSettings, options: WaitOptions): Promise<Connection> {
  return retryConnecting(settings, options, () => connectOnce(settings));
}

/** A client with the product's namespace on a connection of {@link waitForTemporal}. */
export function createTemporalClient(connection: Connection, settings: TemporalSettings): Client {
  return new Client({ connection, namespace: settings.namespace });
}

/** Rejects where Temporal does not answer for the namespace now: what `/readyz` asks. */
export async function pingTemporal(connection: Connection, namespace: string): Promise<void> {
  await connection.withDeadline(Date.now() + CONNECT_TIMEOUT_MS, () =>
    connection.workflowService.describeNamespace({ namespace }),
  );
}

/** The loop of {@link waitForTemporal}, for either kind of connection. */
export async function retryConnecting<T>(
  { address, namespace }: TemporalSettings,
  { log, signal }: WaitOptions,
  connect: () => Promise<T>,
): Promise<T> {
  const backoff = createBackoff(signal);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const connection = await connect();
      if (attempt > 1) log.info(`Connected to Temporal at ${address}, namespace ${namespace}`);
      return connection;
    } catch (error) {
      signal?.throwIfAborted();
      const seconds = backoff.nextMs() / 1_000;
      const hint = hintFor(error, address, namespace);
      log.warn(`Temporal at ${address} cannot be used: ${reasonOf(error)}. ${hint} Trying again in ${seconds} s`);
      await backoff.wait();
    }
  }
}

/** What both kinds of connection understand. */
export function connectionOptions({ address, apiKey, tls }: TemporalSettings) {
  return {
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
  } satisfies ConnectionOptions;
}

async function connectOnce(settings: TemporalSettings): Promise<Connection> {
  const connection = await Connection.connect({
    ...connectionOptions(settings),
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  try {
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace: settings.namespace }),
    );
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
