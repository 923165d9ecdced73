import {
  type Attributes,
  GROUP_ATTRIBUTES,
  type Membership,
  type ObjectKind,
  USER_ATTRIBUTES,
} from '../domain/directory.ts';
import type { EventReason, NewEvent } from '../domain/event.ts';

/** A row of the mirror that a statement wrote, as it was and as it is. */
export interface ObjectChange {
  readonly id: string;
  readonly existed: boolean;
  readonly was_deleted: boolean;
  readonly before: Attributes | null;
  readonly after: Attributes;
}

export interface MembershipRow {
  readonly group_id: string;
  readonly member_id: string;
  readonly member_type: Membership['memberType'];
}

const ATTRIBUTES: Readonly<Record<ObjectKind, readonly string[]>> = { user: USER_ATTRIBUTES, group: GROUP_ATTRIBUTES };
const NEVER_SET: Readonly<Record<ObjectKind, Attributes>> = {
  user: Object.fromEntries(USER_ATTRIBUTES.map((name) => [name, null])),
  group: Object.fromEntries(GROUP_ATTRIBUTES.map((name) => [name, null])),
};

export function objectEvent(kind: ObjectKind, change: ObjectChange, reason: EventReason = 'directory'): NewEvent {
  const { id, before, after } = change;
  const event = { subject: { kind, id }, data: wholeState(kind, id, after), reason } as const;
  if (!change.existed || before === null) return { type: `${kind}.created`, ...event };
  if (change.was_deleted) return { type: `${kind}.restored`, ...event };
  return { type: `${kind}.updated`, ...event, changed: differences(kind, before, after) };
}

/** Without data where nothing of it may be kept. */
export function objectGone(
  kind: ObjectKind,
  id: string,
  data: Attributes | undefined,
  reason: EventReason = 'directory',
): NewEvent {
  return {
    type: `${kind}.deleted`,
    subject: { kind, id },
    data: data ? wholeState(kind, id, data) : { id },
    reason,
  };
}

export function membershipEvent(
  change: 'added' | 'removed',
  { group_id: groupId, member_id: memberId, member_type: memberType }: MembershipRow,
  { memberKnown = true, reason = 'directory' }: { readonly memberKnown?: boolean; readonly reason?: EventReason } = {},
): NewEvent {
  return {
    type: `membership.${change}`,
    subject: { kind: 'membership', id: `${groupId}:${memberId}` },
    data: { groupId, memberId, memberType, ...(!memberKnown && { memberKnown }) },
    reason,
  };
}

function wholeState(kind: ObjectKind, id: string, data: Attributes): Attributes {
  return { id, ...NEVER_SET[kind], ...data };
}

function differences(kind: ObjectKind, before: Attributes, after: Attributes): NonNullable<NewEvent['changed']> {
  const names = new Set([...ATTRIBUTES[kind], ...Object.keys(before), ...Object.keys(after)]);
  const changed: Record<string, readonly [unknown, unknown]> = {};
  for (const name of names) {
    const pair = [before[name] ?? null, after[name] ?? null] as const;
    // Both come out of jsonb, which has one order of keys and one spelling of numbers.
    if (JSON.stringify(pair[0]) !== JSON.stringify(pair[1])) changed[name] = pair;
  }
  return changed;
}

/** How many more are visible after these events: what the tenant's counts change by. */
export function netOf(events: readonly NewEvent[]): { users: number; groups: number; memberships: number } {
  const net = { users: 0, groups: 0, memberships: 0 };
  for (const { type } of events) {
    if (type === 'user.created' || type === 'user.restored') net.users++;
    else if (type === 'user.deleted') net.users--;
    else if (type === 'group.created' || type === 'group.restored') net.groups++;
    else if (type === 'group.deleted') net.groups--;
    else if (type === 'membership.added') net.memberships++;
    else if (type === 'membership.removed') net.memberships--;
  }
  return net;
}
