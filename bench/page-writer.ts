import { randomUUID } from 'node:crypto';
import type { DeltaItem, Feed } from '../src/domain/directory.ts';
import type { OpenSlice } from '../src/store/face/sync.ts';
import type { Store } from '../src/store/store.ts';

const USERS = 2_000;
const PAGE = 100;
/** Fewer than a round may have that says nothing of anybody new. */
const PAGES_A_ROUND = 50;
export const EVENTS_A_ROUND = PAGE * PAGES_A_ROUND;
const HASHES: Readonly<Record<Feed, string>> = { users: 'users', groups: 'groups' };

/** Writes a tenant's pages as a slice does, without anybody to fetch them from. */
export class PageWriter {
  readonly #store: Store;
  readonly #tenantNo: number;
  readonly #ids = Array.from({ length: USERS }, () => randomUUID());
  /** Of the last event that was told; each update carries its own. */
  #serial = 0;

  constructor(store: Store, tenantNo: number) {
    this.#store = store;
    this.#tenantNo = tenantNo;
  }

  /** A tenant whose first sync is in. */
  static async of(store: Store, id: string): Promise<PageWriter> {
    const plain = { name: null, groupsToSync: [], expectedEntraTenant: null };
    const created = await store.tenants.create({ id, ...plain, requireApproval: false, sharedDirectory: false });
    if (created === 'name_taken') throw new Error(`${id} exists`);
    const { no } = created.tenant;
    await store.consents.bind(no, randomUUID());
    await store.tenants.record({ tenantNo: no, phase: 'syncing', paused: false, problem: null, taken: [] });
    const writer = new PageWriter(store, no);
    await writer.#round('full', writer.#ids.map(person));
    return writer;
  }

  /** A round of updates, each an event. */
  async update(): Promise<void> {
    const items = Array.from({ length: EVENTS_A_ROUND }, () => {
      const serial = this.#serial++;
      return objectOf(this.#ids[serial % USERS] ?? '', { employeeId: String(serial) });
    });
    await this.#round('delta', items);
  }

  async #round(kind: 'full' | 'delta', users: readonly DeltaItem[]): Promise<void> {
    const { sync } = this.#store;
    const slice = await sync.openSlice({ tenantNo: this.#tenantNo, roundId: randomUUID(), kind, queryHash: HASHES });
    if (slice === 'halted' || 'completed' in slice) throw new Error('No round began');
    for (let at = 0; at < users.length; at += PAGE) {
      const next = at + PAGE;
      const link = next < users.length ? { nextLink: `page-${next}` } : { deltaLink: `delta-${this.#serial}` };
      mustHold(await sync.applyPages(slice.feeds.users.fence, [{ items: users.slice(at, next), ...link }]));
    }
    mustHold(await sync.applyPages(slice.feeds.groups.fence, [{ items: [], deltaLink: `delta-${this.#serial}` }]));
    const fences = fencesOf(slice);
    mustHold(await sync.applyRemovals(fences, () => undefined, new AbortController().signal));
    mustHold(await sync.completeRound(fences));
  }
}

const fencesOf = ({ feeds }: OpenSlice) => [feeds.users.fence, feeds.groups.fence];

function mustHold(result: unknown): void {
  if (result === 'superseded') throw new Error('Somebody else writes this tenant');
}

const objectOf = (id: string, attributes: Readonly<Record<string, unknown>>): DeltaItem => ({
  kind: 'object',
  id,
  attributes,
  members: [],
});

/** As much as is known of most people. */
function person(id: string, index: number): DeltaItem {
  const name = `person${index}`;
  return objectOf(id, {
    userPrincipalName: `${name}@bench.example`,
    displayName: `Person ${index}`,
    givenName: 'Person',
    surname: String(index),
    mail: `${name}@bench.example`,
    mailNickname: name,
    proxyAddresses: [`SMTP:${name}@bench.example`],
    accountEnabled: true,
    userType: 'Member',
    jobTitle: 'Clerk',
    department: 'Accounts',
    officeLocation: 'Upstairs',
    usageLocation: 'DE',
    createdDateTime: '2024-01-01T00:00:00Z',
  });
}
