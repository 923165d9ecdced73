import type { TenantRecord } from '../domain/activities.ts';
import type { ActivityDeps } from './deps.ts';

export async function recordState({ store }: Pick<ActivityDeps, 'store'>, record: TenantRecord): Promise<void> {
  await store.tenants.record(record);
}
