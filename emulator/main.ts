import { Command, InvalidArgumentError } from 'commander';
import { startEmulator, type Emulator } from './emulator.ts';
import { isPresetName, PRESETS, type PresetName } from './presets.ts';
import { DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REDIRECT_URIS } from './registrations.ts';

interface CommandLine {
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly host: string;
  readonly dataDir: string;
  readonly seed: number;
  readonly preset: PresetName;
  readonly redirectUri: readonly string[];
  readonly clientSecret: string;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, 0 or more');
  return value;
}

function presetName(text: string): PresetName {
  if (!isPresetName(text)) throw new InvalidArgumentError(`one of ${Object.keys(PRESETS).join(', ')}`);
  return text;
}

function readCommandLine(): CommandLine {
  const command = new Command('emulator')
    .description('Emulates the parts of Microsoft Entra and Microsoft Graph that entra-sync speaks to.')
    .option('--https-port <port>', '0 takes a free one', wholeNumber, 9443)
    .option('--http-port <port>', '0 takes a free one', wholeNumber, 9080)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--data-dir <folder>', 'where the certificates are kept', '.data/emulator')
    .option('--seed <number>', 'the same seed makes the same directories', wholeNumber, 1)
    .option('--preset <name>', `directories to start with: ${Object.keys(PRESETS).join(', ')}`, presetName, 'demo')
    .option('--client-secret <value>', 'secret of the app registration', DEFAULT_CLIENT_SECRET)
    .option(
      '--redirect-uri <uri>',
      'a redirect URI of the app registration; repeatable',
      (value: string, list: readonly string[]) => [...list, value],
      [],
    );
  return command.parse().opts<CommandLine>();
}

function announce(emulator: Emulator, secret: string): void {
  // The first line is for programs, the rest for people.
  const { httpsUrl, httpUrl, caFile } = emulator;
  console.log(JSON.stringify({ ready: true, https: httpsUrl, http: httpUrl, caFile }));
  console.log(`Microsoft emulator on ${httpsUrl} and ${httpUrl}`);
  console.log(`  certificate authority  NODE_EXTRA_CA_CERTS=${caFile}`);
  console.log(`  control API            ${httpUrl}/_emulator`);
  console.log(`  app registration       ENTRA_CLIENT_ID=${DEFAULT_CLIENT_ID} ENTRA_CLIENT_SECRET=${secret}`);
  console.log(`  product                ENTRA_AUTHORITY_HOST=${httpsUrl} GRAPH_BASE_URL=${httpsUrl}`);
  for (const tenant of emulator.world.tenants.values()) {
    const [admin] = tenant.accounts();
    const users = tenant.directory.liveCount('user');
    console.log(
      `  directory              ${tenant.domain} ${tenant.id} (${users} users), administrator ${admin?.userPrincipalName ?? 'none'}`,
    );
  }
}

const options = readCommandLine();
const emulator = await startEmulator({
  httpsPort: options.httpsPort,
  httpPort: options.httpPort,
  host: options.host,
  dataDir: options.dataDir,
  seed: options.seed,
  tenants: PRESETS[options.preset],
  registration: {
    redirectUris: options.redirectUri.length > 0 ? options.redirectUri : DEFAULT_REDIRECT_URIS,
    secrets: [{ keyId: 'default', value: options.clientSecret, expiresAt: null }],
  },
});
announce(emulator, options.clientSecret);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void emulator.close().then(() => process.exit(0));
  });
}
