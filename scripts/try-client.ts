/**
 * Lets a client that takes the emulator for Microsoft loose on a directory of 400 people: `npm run try:client -- COMMAND …`.
 * The command finds in its environment where everything is, and leaves with 0 where it was content.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENT_ID, CLIENT_SECRET, startEmulatorProgram, type EmulatorProgram } from '../demo/launch.ts';

const DIRECTORY = { domain: 'contoso.com', users: 400, groups: 40, memberships: 900 };

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('Which client? npm run try:client -- COMMAND …');

async function environment(emulator: EmulatorProgram): Promise<NodeJS.ProcessEnv> {
  const { id } = await emulator.control<{ id: string }>('POST', 'tenants', DIRECTORY);
  await emulator.control('POST', `tenants/${id}/app/consent`, {});
  return {
    ...process.env,
    ...{ EMULATOR: emulator.https, CONTROL: `${emulator.http}/_emulator/tenants/${id}` },
    ...{ TENANT: id, CLIENT_ID, CLIENT_SECRET },
    // What Node and what Python trust beside their own authorities.
    ...{ NODE_EXTRA_CA_CERTS: emulator.caFile, SSL_CERT_FILE: emulator.caFile, REQUESTS_CA_BUNDLE: emulator.caFile },
  };
}

const dir = mkdtempSync(join(tmpdir(), 'entra-sync-client-'));
const emulator = await startEmulatorProgram({ dir, publicUrl: 'http://localhost:8080', preset: 'none' });
try {
  const child = spawn(command, args, { stdio: 'inherit', env: await environment(emulator) });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
} finally {
  await emulator.stop();
  rmSync(dir, { recursive: true, force: true });
}
