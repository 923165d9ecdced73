#!/usr/bin/env node
import { Command } from 'commander';
import type { Finding } from './domain/doctor.ts';
import { diagnoseHere } from './doctor.ts';
import { callApi } from './cli/call-api.ts';
import { findingLines } from './cli/finding-lines.ts';
import { tenantLine, type TenantSummary } from './cli/tenant-line.ts';

/** `entra-sync …`: the operator's command line. It speaks to the API, as `PUBLIC_URL` and `API_KEY` of the environment say. */
const program = new Command('entra-sync')
  .description('Look after tenants of a running entra-sync')
  .option('--url <url>', 'where the API is', process.env['PUBLIC_URL'] ?? 'http://localhost:8080')
  .option('--key <key>', 'an API key; better in the environment as API_KEY')
  .option('--json', 'print what the API answers, as it is');

const api = <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const { url, key } = program.opts<{ url: string; key?: string }>();
  return callApi<T>({ url, key: key ?? process.env['API_KEY'] }, method, path, body);
};

/** One line a tenant for a person, the answer itself for a program. */
const show = (tenants: readonly TenantSummary[]): void => {
  const { json } = program.opts<{ json?: boolean }>();
  for (const tenant of tenants) console.log(json ? JSON.stringify(tenant) : tenantLine(tenant));
};

program
  .command('tenants')
  .description('all tenants')
  .action(async () => {
    let cursor: string | null = null;
    do {
      const page: { data: TenantSummary[]; nextCursor: string | null } = await api(
        'GET',
        `/v1/tenants?limit=1000${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      show(page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
  });

program
  .command('create')
  .argument('<id>', "the product's own name for the environment")
  .option('--name <name>', 'a name for people')
  .option('--expected <directory>', 'the only directory that may consent: its id or a domain')
  .description('make a tenant and print the link for its administrator')
  .action(async (id: string, options: { name?: string; expected?: string }) => {
    const { name, expected } = options;
    const tenant = await api<TenantSummary>('POST', '/v1/tenants', {
      id,
      ...(name === undefined ? {} : { name }),
      ...(expected === undefined ? {} : { expectedEntraTenant: expected }),
    });
    show([tenant]);
    if (!program.opts<{ json?: boolean }>().json) console.log(tenant.setupUrl);
  });

program
  .command('show')
  .argument('<id>')
  .description('one tenant')
  .action(async (id: string) => show([await api<TenantSummary>('GET', `/v1/tenants/${encodeURIComponent(id)}`)]));

const ACTIONS: Readonly<Record<string, string>> = {
  sync: 'a delta round now',
  resync: 'a full round now, beside the mirror',
  pause: 'stop fetching; the mirror stays',
  resume: 'go on where it stood',
  approve: 'approve a consent that waits for it',
  revoke: 'stop for good until consent is given again; the mirror stays',
};
for (const [action, description] of Object.entries(ACTIONS)) {
  program
    .command(action)
    .argument('<id>')
    .description(description)
    .action(async (id: string) =>
      show([await api<TenantSummary>('POST', `/v1/tenants/${encodeURIComponent(id)}/${action}`)]),
    );
}

program
  .command('doctor')
  .argument('[id]', 'a tenant, of which the running API is asked')
  .description(
    'what is wrong, who must act and how: the way to Microsoft, our credentials, and with an id all of a tenant',
  )
  .action(async (id: string | undefined) => {
    const findings = id === undefined ? await diagnoseHere(process.env) : await diagnoseTenant(id);
    if (program.opts<{ json?: boolean }>().json) console.log(JSON.stringify(findings));
    else for (const finding of findings) console.log(findingLines(finding));
    if (findings.some(({ level }) => level === 'error')) process.exitCode = 1;
  });

/** From where the API runs, which looks at its own way to Microsoft as well. */
async function diagnoseTenant(id: string): Promise<readonly Finding[]> {
  const { findings } = await api<{ findings: readonly Finding[] }>(
    'GET',
    `/v1/tenants/${encodeURIComponent(id)}/diagnostics`,
  );
  return findings;
}

program
  .command('rotate-keys')
  .description(
    'seal anew under the first of ENCRYPTION_KEYS what is sealed under another; needs DATABASE_URL, and no API',
  )
  .action(async () => {
    // Only here: the others need no database.
    const { rotateKeys } = await import('./rotate-keys.ts');
    const stopping = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(new Error('Stopped')));
    const done = await rotateKeys(process.env, (line) => console.log(line), stopping.signal);
    if (!done) process.exitCode = 1;
  });

program
  .command('delete')
  .argument('<id>')
  .requiredOption('--yes', 'the mirror and its events are purged: there is no way back')
  .description('end a tenant and purge all that is kept of it')
  .action(async (id: string) => {
    await api('DELETE', `/v1/tenants/${encodeURIComponent(id)}`);
    console.log(`${id} is being deleted`);
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
