import { NativeConnection } from '@temporalio/worker';
import { connectionOptions, retryConnecting, type WaitOptions } from './connection.ts';
import type { TemporalSettings } from './settings.ts';

/**
 * The worker's own kind of connection, with the same patience. Apart from the client's, so that an API alone never
 * loads the worker's native library.
 */
export async function waitForWorkerConnection(
  settings: TemporalSettings,
  options: WaitOptions,
): Promise<NativeConnection> {
  return retryConnecting(settings, options, () => NativeConnection.connect(connectionOptions(settings)));
}
