export { tenantWorkflow } from './tenant.ts';
