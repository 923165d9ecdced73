import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { findTemporalCli } from '../src/temporal/cli-binary.ts';
import { startDevServer } from '../src/temporal/dev-server.ts';
import type { Log } from '../src/temporal/log.ts';
import { keepForTeardown } from './global-teardown.ts';

const WORKFLOWS = fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url));

/** Making a binary may take minutes: a person who runs the tests sees what is going on. */
const print = (...words: unknown[]) => void process.stderr.write(`${words.map(String).join(' ')}\n`);
const LOG: Log = { info: print, warn: print, error: print };

/** One Temporal server and one workflow bundle for all test files, handed to them through the environment. */
// oxlint-disable-next-line import/no-default-export -- Jest calls the default export
export default async function globalSetup(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'entra-sync-test-'));
  const binary = await findTemporalCli({ env: process.env, log: LOG });
  const server = await startDevServer({ binary, dataDir: folder, port: 0, uiPort: 0, log: LOG });
  keepForTeardown({ server, folder });
  process.env['TEST_TEMPORAL_CLI'] = binary;
  process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
  if (!existsSync(WORKFLOWS)) return;
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: new DefaultLogger('WARN') });
  const bundle = join(folder, 'workflow-bundle.cjs');
  await writeFile(bundle, code);
  process.env['TEST_WORKFLOW_BUNDLE'] = bundle;
}
