import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorsDocument } from './errors-document.ts';

/** From dist/scripts the root is two up. */
const path = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));
await writeFile(path, await errorsDocument(path));
