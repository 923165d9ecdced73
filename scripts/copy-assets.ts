import { cp } from 'node:fs/promises';

/** What the compiled files read beside themselves and the compiler does not copy. From dist/scripts the root is two up. */
const ASSETS = ['src/store/migrations'];
const ROOT = new URL('../../', import.meta.url);

for (const folder of ASSETS) {
  await cp(new URL(folder, ROOT), new URL(`dist/${folder}`, ROOT), { recursive: true });
}
