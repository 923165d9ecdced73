import { rm } from 'node:fs/promises';
import type { DevServer } from '../src/temporal/dev-server.ts';

interface Kept {
  readonly server: DevServer;
  readonly folder: string;
}

// Jest may load this file twice, for setup and for teardown: only the global object is sure to be the same.
const KEY = Symbol.for('entra-sync.test.temporal');

export function keepForTeardown(kept: Kept): void {
  Reflect.set(globalThis, KEY, kept);
}

// oxlint-disable-next-line import/no-default-export -- Jest calls the default export
export default async function globalTeardown(): Promise<void> {
  const kept = Reflect.get(globalThis, KEY) as Kept | undefined;
  await kept?.server.stop();
  if (kept) await rm(kept.folder, { recursive: true, force: true });
}
