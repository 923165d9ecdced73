/** Bundles the workflows once, at build time: a worker then starts in a moment, and code that is not deterministic fails here. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../src/workflows/index.js', import.meta.url)),
  logger: new DefaultLogger('WARN'),
});
writeFileSync(new URL('../src/workflow-bundle.cjs', import.meta.url), code);
