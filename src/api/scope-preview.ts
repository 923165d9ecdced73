import type { Attributes, DeltaItem, Feed } from '../domain/directory.ts';
import {
  type GroupCandidate,
  isFilteredOut,
  mustReadAll,
  PICKED_AT_ONCE,
  type Scope,
  selectionOf,
} from '../domain/scope.ts';
import type { ObjectRow } from '../store/face/directory.ts';
import type { ScopeTarget } from '../store/face/preview.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import type { ApiDeps } from './deps.ts';

/** Requests that one preview makes: an answer must come while somebody waits for it. */
const REQUESTS = 30;
const SAMPLE = 50;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Found = Extract<DeltaItem, { kind: 'object' }>;

interface Change {
  readonly groupsToSync: readonly string[];
  readonly scope: Scope;
}

interface Side {
  count: number;
  sample: readonly ObjectRow[];
}

export interface ScopePreview {
  readonly users: { readonly enter: Side; readonly leave: Side };
  readonly groups: { readonly enter: Side; readonly leave: Side };
  readonly unresolved: readonly { readonly entry: string; readonly candidates: readonly GroupCandidate[] }[];
  /** False where not everything was read: more may enter then, and fewer may leave. */
  readonly complete: boolean;
}

/** Graph gave no answer; nothing is known then. */
export class PreviewFailed extends Error {}

/** Who would enter and who would leave, by what the mirror knows and a bounded number of questions to Graph. */
export class ScopePreviewer {
  readonly #deps: Pick<ApiDeps, 'graph' | 'store'>;
  readonly #tenant: TenantRow;
  readonly #accessToken: string;
  #left = REQUESTS;
  #complete = true;

  constructor(deps: Pick<ApiDeps, 'graph' | 'store'>, tenant: TenantRow, accessToken: string) {
    this.#deps = deps;
    this.#tenant = tenant;
    this.#accessToken = accessToken;
  }

  async preview(change: Change): Promise<ScopePreview> {
    const { no } = this.#tenant;
    const { preview } = this.#deps.store;
    const before = selectionOf(this.#tenant.groupsToSync, this.#tenant.scope);
    const after = selectionOf(change.groupsToSync, change.scope);
    const { roots, unresolved } = await this.#resolve(change.groupsToSync);
    const reached = after.allGroups ? undefined : await this.#reach(roots, after.nested);
    const target: ScopeTarget = {
      guests: after.guests,
      disabled: after.disabled,
      groups: reached ? reached.groups : null,
      members: reached ? reached.entering.flatMap(usersOf) : [],
      assigned: after.assignedOnly ? await this.#assigned() : null,
    };
    const everybody = after.allGroups && mustReadAll(before, after);
    const groups = reached ? reached.entering : everybody && !before.allGroups ? await this.#read('groups') : [];
    const users = everybody && !after.assignedOnly ? await this.#read('users') : await this.#candidates(target);
    const mirrored = await preview.mirrored(no, { users: idsOf(users), groups: idsOf(groups) });
    const leave = await preview.leavers(no, target, SAMPLE);
    const enter = (found: readonly Found[], feed: Feed) => {
      const known = new Set(mirrored[feed]);
      return sideOf(
        found.filter(
          ({ id, attributes }) => !known.has(id) && (feed === 'groups' || !isFilteredOut(after, attributes)),
        ),
      );
    };
    return {
      users: { enter: enter(users, 'users'), leave: leave.users },
      groups: { enter: enter(groups, 'groups'), leave: leave.groups },
      unresolved,
      complete: this.#complete,
    };
  }

  async #resolve(entries: readonly string[]) {
    const roots: string[] = [];
    const unresolved: { entry: string; candidates: readonly GroupCandidate[] }[] = [];
    for (const entry of entries) {
      const known = this.#tenant.scopeGroups.find((group) => group.entry === entry)?.groupId;
      if (known) roots.push(known);
      else if (ID.test(entry)) roots.push(entry.toLowerCase());
      else if (this.#mayAsk()) {
        const got = await this.#deps.graph.findGroups({ displayName: entry, accessToken: this.#accessToken });
        if (got.kind !== 'found') throw new PreviewFailed(got.kind);
        const [only] = got.groups;
        if (only && got.groups.length === 1) roots.push(only.id);
        else unresolved.push({ entry, candidates: got.groups });
      }
    }
    const missing = await this.#missing(roots);
    for (const id of missing) unresolved.push({ entry: id, candidates: [] });
    return { roots: roots.filter((id) => !missing.includes(id)), unresolved };
  }

  readonly #picked = new Map<string, Found>();

  /** Of these groups those that are neither mirrored nor there. */
  async #missing(groups: readonly string[]): Promise<readonly string[]> {
    const { mirrored } = await this.#deps.store.preview.inside(this.#tenant.no, groups);
    const others = groups.filter((id) => !mirrored.includes(id));
    for (const group of await this.#pick('groups', others)) this.#picked.set(group.id, group);
    return this.#complete ? others.filter((id) => !this.#picked.has(id)) : [];
  }

  /** The groups to sync, and with `nested` those inside of them; `entering` are those that are not mirrored, with members. */
  async #reach(roots: readonly string[], nested: boolean) {
    const groups = new Set<string>();
    const entering: Found[] = [];
    for (let next = [...new Set(roots)]; next.length > 0;) {
      for (const id of next) groups.add(id);
      const { mirrored, members } = await this.#deps.store.preview.inside(this.#tenant.no, next);
      const unknown = next.filter((id) => !mirrored.includes(id));
      const asked = unknown.filter((id) => !this.#picked.has(id));
      for (const group of await this.#pick('groups', asked)) this.#picked.set(group.id, group);
      const found = unknown.flatMap((id) => this.#picked.get(id) ?? []);
      entering.push(...found);
      const inside = nested ? [...members, ...found.flatMap((group) => membersOf(group, 'group'))] : [];
      next = [...new Set(inside)].filter((id) => !groups.has(id));
    }
    return { groups: [...groups], entering };
  }

  async #assigned(): Promise<readonly string[]> {
    if (!this.#mayAsk()) return [];
    const got = await this.#deps.graph.assigned({ accessToken: this.#accessToken });
    if (got.kind !== 'listed') throw new PreviewFailed(got.kind);
    const of = (kind: 'user' | 'group') =>
      got.assignments.filter((one) => one.kind === kind).map(({ principalId }) => principalId);
    return [...of('user'), ...(await this.#pick('groups', of('group'))).flatMap(usersOf)];
  }

  async #candidates(target: ScopeTarget): Promise<readonly Found[]> {
    const most = this.#left * PICKED_AT_ONCE;
    const ids = await this.#deps.store.preview.candidates(this.#tenant.no, target, most + 1);
    return this.#pick('users', ids);
  }

  /** Objects by id, whole; of a group all members, over several items. */
  async #pick(feed: Feed, ids: readonly string[]): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (let at = 0; at < ids.length; at += PICKED_AT_ONCE) {
      found.push(...(await this.#read(feed, ids.slice(at, at + PICKED_AT_ONCE))));
    }
    return found;
  }

  /** The feed from its start, as far as the questions reach. */
  async #read(feed: Feed, ids?: readonly string[]): Promise<readonly Found[]> {
    const found = new Map<string, Found>();
    for (let link: string | undefined, more = true; more && this.#mayAsk();) {
      const only = ids && link === undefined ? { ids } : {};
      const got = await this.#deps.graph.feedPage({
        feed,
        link,
        ...only,
        fromDelta: false,
        accessToken: this.#accessToken,
      });
      if (got.kind !== 'page') throw new PreviewFailed(got.kind);
      for (const item of got.page.items)
        if (item.kind === 'object') found.set(item.id, joined(found.get(item.id), item));
      link = got.page.nextLink;
      more = link !== undefined;
    }
    return [...found.values()];
  }

  #mayAsk(): boolean {
    if (this.#left === 0) this.#complete = false;
    return this.#left > 0 && this.#left-- > 0;
  }
}

const joined = (before: Found | undefined, item: Found): Found =>
  before
    ? {
        ...item,
        attributes: { ...before.attributes, ...item.attributes },
        members: [...before.members, ...item.members],
      }
    : item;

const idsOf = (found: readonly Found[]): readonly string[] => found.map(({ id }) => id);
const membersOf = ({ members }: Found, type: 'user' | 'group'): readonly string[] =>
  members.filter(({ memberType, removed }) => memberType === type && !removed).map(({ memberId }) => memberId);
const usersOf = (group: Found): readonly string[] => membersOf(group, 'user');

const sideOf = (found: readonly Found[]): Side => ({
  count: found.length,
  sample: found
    .slice(0, SAMPLE)
    .map(({ id, attributes }): { id: string; data: Attributes } => ({ id, data: attributes })),
});
