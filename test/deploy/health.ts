import { setTimeout as sleep } from 'node:timers/promises';
import { exitOf, run, type Running } from '../support/processes.ts';
import type { ComposeService } from './compose-file.ts';

/** Runs a service's health check, as Docker would, until it passes. */
export async function untilHealthy(
  service: ComposeService,
  running: Running,
  options: { readonly env: NodeJS.ProcessEnv; readonly withinMs: number; readonly adapt: (text: string) => string },
): Promise<void> {
  const [kind, ...words] = (service.healthcheck?.test ?? []).map((word) => options.adapt(word));
  const command = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : words;
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    const check = run(command, { env: options.env });
    if ((await exitOf(check)) === 0) return;
    if (running.child.exitCode !== null) throw new Error(`The service has ended: ${running.output()}`);
    if (Date.now() > deadline) throw new Error(`Never healthy: ${check.output()}\n${running.output()}`);
    await sleep(250);
  }
}
