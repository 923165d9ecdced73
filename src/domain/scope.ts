import type { Feed } from './directory.ts';

/** What of a directory is mirrored. */
export interface Scope {
  /** Attributes beside the contract's, under Graph's names. */
  readonly userAttributes: readonly string[];
  readonly groupAttributes: readonly string[];
}

export type ScopeSettings = Partial<Scope>;

const WHOLE: Scope = {
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
