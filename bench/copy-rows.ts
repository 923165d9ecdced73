import { GROUP_ATTRIBUTES, USER_ATTRIBUTES } from '../src/domain/directory.ts';
import type { FeedName } from './delta-pages.ts';

/** The mirror's tables with the columns that a first sync fills; the rest have defaults. */
export const COPIED = {
  directory_user: ['tenant_no', 'id', 'data'],
  directory_group: ['tenant_no', 'id', 'data'],
  membership: ['tenant_no', 'group_id', 'member_id', 'member_type'],
} as const;

export type Table = keyof typeof COPIED;
export const TABLES = Object.keys(COPIED) as readonly Table[];

/** Indexes that are no primary keys: they are a price of the product's questions, not of its rows. */
export const SECONDARY_INDEXES = `
  SELECT indexrelid::regclass::text AS name FROM pg_index
  WHERE NOT indisprimary AND indrelid IN (${TABLES.map((table) => `'${table}'::regclass`).join(', ')})`;

export interface DeltaBody {
  readonly value: readonly DeltaObject[];
  readonly '@odata.nextLink'?: string;
}

export interface DeltaObject {
  readonly id: string;
  readonly [attribute: string]: unknown;
  readonly 'members@delta'?: readonly { readonly '@odata.type': string; readonly id: string }[];
}

const TENANT_NO = 1;
const ATTRIBUTES = { users: USER_ATTRIBUTES, groups: GROUP_ATTRIBUTES } as const;
const TABLE_OF = { users: 'directory_user', groups: 'directory_group' } as const;

/** The object as the product keeps it: attributes that are set. */
export function dataOf(feed: FeedName, object: DeltaObject): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const name of ATTRIBUTES[feed]) {
    const value = object[name];
    if (value !== undefined && value !== null) data[name] = value;
  }
  return data;
}

export const memberTypeOf = (type: string): string => type.slice('#microsoft.graph.'.length);

/** Rows of a page as COPY reads them. A group that goes on over pages comes again with each: its row is copied once. */
export function rowsOf(
  feed: FeedName,
  { value }: DeltaBody,
  seen: Set<string>,
): readonly (readonly [table: Table, text: string])[] {
  let objects = '';
  let members = '';
  for (const object of value) {
    if (!seen.has(object.id)) {
      seen.add(object.id);
      const data = JSON.stringify(dataOf(feed, object)).replaceAll('\\', '\\\\');
      objects += `${TENANT_NO}\t${object.id}\t${data}\n`;
    }
    for (const member of object['members@delta'] ?? []) {
      members += `${TENANT_NO}\t${object.id}\t${member.id}\t${memberTypeOf(member['@odata.type'])}\n`;
    }
  }
  return [
    [TABLE_OF[feed], objects],
    ['membership', members],
  ];
}
