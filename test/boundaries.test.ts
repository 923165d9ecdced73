import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

// Who may import whom, as ARCHITECTURE.md says. `T` is `import type` only. Entries (files directly in src/) may import all of src/.
const ROOMS: Readonly<Record<string, Readonly<Record<string, '✓' | 'T'>>>> = {
  domain: {},
  workflows: { domain: '✓' },
  crypto: {},
  graph: { domain: '✓' },
  store: { domain: '✓' },
  activities: { domain: '✓', graph: 'T', store: 'T', crypto: 'T' },
  temporal: { domain: '✓', store: 'T' },
  api: { domain: '✓', store: 'T', graph: 'T', crypto: 'T' },
  cli: { domain: '✓' },
};
const PACKAGES: Readonly<Record<string, RegExp>> = {
  domain: /^$/,
  workflows: /^@temporalio\/(workflow|common)$/,
  activities: /^(@temporalio\/(activity|common|worker)|pino|prom-client)$|^node:/,
};
const ROOT = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '..');
const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;

interface Import {
  readonly file: string;
  readonly typeOnly: boolean;
  readonly target: string;
}

function importsUnder(folder: string): readonly Import[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .flatMap((entry) => {
      const file = join(entry.parentPath ?? entry.path, entry.name);
      return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, type, target = '']) => ({
        file: relative(ROOT, file),
        typeOnly: type !== undefined,
        target: target.startsWith('.') ? relative(ROOT, resolve(dirname(file), target)) : target,
      }));
    });
}

function roomOf(path: string): string | undefined {
  const [top, room, ...rest] = path.split('/');
  return top === 'src' && rest.length > 0 ? room : undefined;
}

test('every room imports only the rooms below it', () => {
  const imports = importsUnder('src');
  expect(imports.length).toBeGreaterThan(100);
  const broken = imports.filter(({ file, target, typeOnly }) => {
    const from = roomOf(file);
    const to = target.startsWith('src/') ? roomOf(target) : undefined;
    if (from === undefined) return false;
    if (target.startsWith('src/') && to === undefined) return true; // an entry or config.ts: rooms are given what they need
    if (to === undefined || to === from) return false;
    const leave = ROOMS[from]?.[to];
    return leave === undefined || (leave === 'T' && !typeOnly);
  });
  expect(broken).toEqual([]);
});

test('workflow and domain code imports no package that is not deterministic', () => {
  const broken = importsUnder('src').filter(({ file, target }) => {
    const allowed = PACKAGES[roomOf(file) ?? ''];
    return allowed !== undefined && !target.startsWith('src/') && !allowed.test(target);
  });
  expect(broken).toEqual([]);
});

test('product and emulator do not know each other, and only test and demo name both', () => {
  const crossing = (folder: string, other: string) =>
    importsUnder(folder).filter(({ target }) => target.startsWith(`${other}/`));
  expect(crossing('src', 'emulator')).toEqual([]);
  expect(crossing('emulator', 'src')).toEqual([]);
});
