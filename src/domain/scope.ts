import type { Attributes, Feed } from './directory.ts';

/** What of a directory is mirrored, beside the groups to sync. Every setting narrows. */
export interface Scope {
  /** Groups that are members of groups to sync, at any depth, are synced like them. */
  readonly nested: boolean;
  /** Only people who are assigned to the application, by themselves or as a direct member of an assigned group. */
  readonly assignedOnly: boolean;
  readonly guests: boolean;
  readonly disabled: boolean;
  /** Attributes beside the contract's, under Graph's names. */
  readonly userAttributes: readonly string[];
  readonly groupAttributes: readonly string[];
}

export type ScopeSettings = Partial<Scope>;

const WHOLE: Scope = {
  nested: false,
  assignedOnly: false,
  guests: true,
  disabled: true,
  userAttributes: [],
  groupAttributes: [],
};

export function scopeOf(settings: ScopeSettings): Scope {
  return { ...WHOLE, ...settings };
}

/** Attributes that a tenant chose, by feed. */
export type Chosen = Readonly<Record<Feed, readonly string[]>>;

export function chosenOf({ userAttributes, groupAttributes }: Scope): Chosen {
  return { users: userAttributes, groups: groupAttributes };
}

/** What decides who is mirrored: groups by id or name, none of them for all, and the scope's narrowing settings. */
export interface Selection extends Pick<Scope, 'nested' | 'assignedOnly' | 'guests' | 'disabled'> {
  readonly allGroups: boolean;
}

export function selectionOf(groupsToSync: readonly string[], scope: Scope): Selection {
  const { nested, assignedOnly, guests, disabled } = scope;
  return { allGroups: groupsToSync.length === 0, nested, assignedOnly, guests, disabled };
}

export function isWhole({ allGroups, assignedOnly, guests, disabled }: Selection): boolean {
  return allGroups && !assignedOnly && guests && disabled;
}

/**
 * Whether a change lets in what the mirror holds no trace of: members of mirrored groups and assigned people are known by
 * their ids, everybody else must be read again.
 */
export function mustReadAll(before: Selection, after: Selection): boolean {
  if (after.allGroups && !before.allGroups) return true;
  const everybody = after.allGroups && !after.assignedOnly;
  const wider = before.assignedOnly || (after.guests && !before.guests) || (after.disabled && !before.disabled);
  return everybody && wider;
}

/** Whether somebody with these attributes is kept out by a filter. */
export function isFilteredOut({ guests, disabled }: Pick<Selection, 'guests' | 'disabled'>, user: Attributes): boolean {
  return (!guests && user['userType'] === 'Guest') || (!disabled && user['accountEnabled'] === false);
}

/** Objects that one filtered feed may be asked for (microsoft-graph: delta query, `$filter` by id). */
export const PICKED_AT_ONCE = 50;

/** An entry of the groups to sync, and the mirrored group that it stands for. */
export interface ScopeGroup {
  readonly entry: string;
  /** Null where it fits no group, or several, or nobody has looked yet. */
  readonly groupId: string | null;
  readonly displayName: string | null;
  /** Groups that it may mean; empty: there is none. */
  readonly candidates: readonly GroupCandidate[];
}

export interface GroupCandidate {
  readonly id: string;
  readonly displayName: string | null;
  readonly mail: string | null;
}
