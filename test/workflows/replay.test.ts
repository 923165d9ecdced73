import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { quietRuntime } from '../support/tenant-worker.ts';

const HISTORIES = new URL('./histories/', import.meta.url);
const files = readdirSync(HISTORIES).filter((name) => name.endsWith('.json'));

test('there are histories of every phase to replay', () => {
  const all = files.map((name) => readFileSync(new URL(name, HISTORIES), 'utf8')).join('');
  for (const word of [
    '"consent"',
    'refreshToken',
    'verifyConsent',
    'syncSlice',
    'recordState',
    'settleHeld',
    'purgeTenant',
    'purgeRevoked',
    'pauseTenant',
  ]) {
    expect({ word, found: all.includes(word) }).toEqual({ word, found: true });
  }
});

test.each(files)('a workflow that was left at %s goes on with today’s code', async (name) => {
  quietRuntime();
  const codePath = process.env['TEST_WORKFLOW_BUNDLE'] ?? '';
  const history: unknown = JSON.parse(readFileSync(new URL(name, HISTORIES), 'utf8'));
  await expect(Worker.runReplayHistory({ workflowBundle: { codePath } }, history)).resolves.toBeUndefined();
});
