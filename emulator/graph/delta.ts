import { indexOf, refOf, type ObjectRef } from '../directory/object-ref.ts';
import { hash32, Random } from '../random.ts';
import type { Tenant } from '../tenant.ts';
import { changesBetween, type ChangeItem } from './delta-changes.ts';
import { applyChaos, type PageUnit } from './delta-chaos.ts';
import type { DeltaExpiry } from './delta-expiry.ts';
import { DeltaItems, type RelationEntry } from './delta-items.ts';
import { KIND_OF, readDeltaQuery, trackedBy, type DeltaQuery, type Tracked } from './delta-query.ts';
import { sealToken, type DeltaResource, type PageToken } from './delta-token.ts';
import { contextUrl, prefersMinimal, rootOf, type GraphAnswer, type GraphRequest } from './graph-request.ts';

interface Page {
  readonly units: readonly PageUnit[];
  /** Where the next page goes on; undefined at the end of the round. */
  readonly next: Pick<PageToken, 'at' | 'open'> | undefined;
}

const KEPT_ROUNDS = 64;
// So many groups may be open at once before a page takes no new one: their places travel in the page token.
const OPEN_GROUPS = 8;

/** Answers delta queries of all tenants. Between requests it keeps nothing but what it could compute again. */
export class DeltaService {
  readonly #expiry: DeltaExpiry;
  readonly #items = new WeakMap<Tenant, DeltaItems>();
  readonly #rounds = new WeakMap<Tenant, Map<string, ChangeItem[]>>();

  constructor(expiry: DeltaExpiry) {
    this.#expiry = expiry;
  }

  answer(request: GraphRequest, resource: DeltaResource): GraphAnswer {
    const query = readDeltaQuery(request, resource, this.#expiry);
    const { tenant } = request;
    const token = this.#startOf(request, resource, query);
    const tracked = trackedBy(resource, token.select);
    const { chaos } = tenant.settings;
    const random = new Random(hash32(chaos.seed, token.serial, token.page));
    const minimal = token.kind === 'changes' && (prefersMinimal(request) || chaos.unaskedMinimal);
    if (query.kind === 'latest') return this.#write(request, token, tracked, { units: [], next: undefined }, false);
    if (token.empties < 3 && random.chance(chaos.emptyPage)) {
      const empty = { ...token, empties: token.empties + 1 };
      return this.#write(request, empty, tracked, { units: [], next: token }, minimal);
    }
    const page =
      token.kind === 'initial'
        ? this.#initialPage(tenant, token, tracked)
        : this.#changesPage(tenant, token, tracked, minimal, random);
    const seen = (ref: ObjectRef): string => this.#asItIs(tenant, ref, tracked);
    const others = {
      shownBefore: this.#shownBefore(tenant, token, random),
      deleted: token.kind === 'initial' ? this.#someDeleted(tenant, token) : undefined,
    };
    const units = applyChaos(page.units, chaos, random, others, seen);
    return this.#write(request, { ...token, empties: 0 }, tracked, { ...page, units }, minimal);
  }

  /** The place where this request begins: a new round, or the next page of one. */
  #startOf(request: GraphRequest, resource: DeltaResource, query: DeltaQuery): PageToken {
    const { tenant, caller, world } = request;
    const { head } = tenant.directory.log;
    const serial = this.#expiry.nextSerial(tenant);
    const fresh = { page: 0, empties: 0, at: 0, open: [], to: head };
    if (query.kind === 'token') {
      const { token } = query;
      if (token.kind !== 'delta') return { ...token, serial };
      const { select, ids } = token;
      const bound = { resource, tenant: tenant.id, app: caller.appId, serial, issuedAt: world.clock.now() };
      return { ...bound, ...fresh, kind: 'changes', from: token.seen, select, ids };
    }
    return {
      ...fresh,
      kind: 'initial',
      resource,
      tenant: tenant.id,
      app: caller.appId,
      serial,
      issuedAt: world.clock.now(),
      from: 0,
      select: query.select,
      ids: query.ids === undefined ? undefined : [...query.ids],
    };
  }

  /** All objects that are live now, in the order of their places; deleted ones are not mentioned. */
  #initialPage(tenant: Tenant, token: PageToken, tracked: Tracked): Page {
    const { directory, settings } = tenant;
    const kind = KIND_OF[token.resource];
    const items = this.#itemsOf(tenant);
    const size = token.resource === 'users' ? settings.delta.usersPageSize : settings.delta.groupsPageSize;
    const row = token.ids
      ?.map((id) => directory.find(id) ?? -1)
      .filter((ref) => ref >= 0 && ref === refOf(kind, indexOf(ref)));
    const end = row?.length ?? directory.size(kind);
    const units: PageUnit[] = [];
    const open: [number, number][] = [];
    const budget = { members: settings.delta.membersPerPage };
    const show = (ref: ObjectRef, place: number): void => {
      let relations = tracked.manager ? items.managerOf(ref) : '';
      if (tracked.members) {
        const slice = this.#memberSlice(tenant, ref, place, Math.min(settings.delta.memberSliceSize, budget.members));
        budget.members -= slice.members.length;
        relations = items.relation('members', slice.members);
        if (slice.next !== undefined) open.push([indexOf(ref), slice.next]);
      }
      units.push({ ref, texts: [items.full(ref, tracked, relations)], older: undefined });
    };
    // Groups that an earlier page left open come first, each with its next slice of members.
    for (const [group, place] of token.open) {
      const ref = refOf('group', group);
      if (!directory.isLive(ref)) continue;
      if (budget.members > 0 && units.length < size) show(ref, place);
      else open.push([group, place]);
    }
    let { at } = token;
    for (; at < end && units.length < size && budget.members > 0 && open.length < OPEN_GROUPS; at += 1) {
      const ref = row?.[at] ?? refOf(kind, at);
      if (directory.isLive(ref)) show(ref, 0);
    }
    return { units, next: at < end || open.length > 0 ? { at, open } : undefined };
  }

  /** Members from a place on. Soft-deleted ones are passed over: Graph says nothing of them. */
  #memberSlice(
    tenant: Tenant,
    group: ObjectRef,
    from: number,
    limit: number,
  ): { readonly members: RelationEntry[]; readonly next: number | undefined } {
    const { memberships } = tenant.directory;
    const places = memberships.places(indexOf(group));
    const members: RelationEntry[] = [];
    let place = from;
    for (; place < places && members.length < limit; place += 1) {
      const ref = memberships.at(indexOf(group), place);
      if (ref !== undefined && tenant.directory.isLive(ref)) members.push({ ref, removed: false });
    }
    return { members, next: place < places ? place : undefined };
  }

  #changesPage(tenant: Tenant, token: PageToken, tracked: Tracked, minimal: boolean, random: Random): Page {
    const { settings } = tenant;
    const size = token.resource === 'users' ? settings.delta.usersPageSize : settings.delta.groupsPageSize;
    const all = this.#round(tenant, token, tracked);
    const items = this.#itemsOf(tenant);
    const units = all.slice(token.at, token.at + size).map((item): PageUnit => {
      if (!tenant.directory.isLive(item.ref))
        return { ref: item.ref, texts: [items.removed(item.ref)], older: undefined };
      const relations = [items.relation('members', item.members), items.relation('manager', item.manager)];
      const joined = relations.filter((text) => text !== '').join(',');
      const inPart = item.whole && random.chance(settings.chaos.firstInPart);
      const text = inPart
        ? items.inPart(item.ref, item.touched, tracked, joined, random)
        : minimal && !item.whole
          ? items.minimal(item.ref, item.touched, joined)
          : items.full(item.ref, tracked, joined);
      const older = item.older === undefined || item.whole ? undefined : items.older(item.ref, item.older, tracked);
      return { ref: item.ref, texts: [text], older };
    });
    const at = token.at + size;
    return { units, next: at < all.length ? { at, open: [] } : undefined };
  }

  /** The changes of a round, computed once for all its pages. */
  #round(tenant: Tenant, token: PageToken, tracked: Tracked): ChangeItem[] {
    const rounds = this.#rounds.get(tenant) ?? new Map<string, ChangeItem[]>();
    this.#rounds.set(tenant, rounds);
    const { memberSliceSize: sliceSize, relistMembersOnRestore } = tenant.settings.delta;
    const key = JSON.stringify([token.resource, token.from, token.to, token.select, token.ids, sliceSize]);
    const known = rounds.get(key);
    if (known !== undefined) return known;
    const kind = KIND_OF[token.resource];
    const limits = { sliceSize, relistMembersOnRestore };
    const made = changesBetween(tenant.directory, kind, token.from, token.to, tracked, token.ids, limits);
    const [oldest] = rounds.keys();
    if (rounds.size >= KEPT_ROUNDS && oldest !== undefined) rounds.delete(oldest);
    rounds.set(key, made);
    return made;
  }

  /** Some object that an earlier page of this round may have shown. */
  #shownBefore(tenant: Tenant, token: PageToken, random: Random): ObjectRef | undefined {
    if (token.ids !== undefined || token.at === 0) return undefined;
    const kind = KIND_OF[token.resource];
    if (token.kind === 'initial') return refOf(kind, random.int(token.at));
    return this.#round(tenant, token, trackedBy(token.resource, token.select))[random.int(token.at)]?.ref;
  }

  #someDeleted(tenant: Tenant, token: PageToken): ObjectRef | undefined {
    if (token.ids !== undefined) return undefined;
    const [first] = tenant.directory.withStatus(KIND_OF[token.resource], 'softDeleted');
    return first;
  }

  #asItIs(tenant: Tenant, ref: ObjectRef, tracked: Tracked): string {
    const items = this.#itemsOf(tenant);
    return tenant.directory.isLive(ref) ? items.full(ref, tracked, '') : items.removed(ref);
  }

  #itemsOf(tenant: Tenant): DeltaItems {
    const known = this.#items.get(tenant);
    if (known !== undefined) return known;
    const made = new DeltaItems(tenant.directory);
    this.#items.set(tenant, made);
    return made;
  }

  #write(request: GraphRequest, token: PageToken, tracked: Tracked, page: Page, minimal: boolean): GraphAnswer {
    const { world } = request;
    const context = JSON.stringify(contextUrl(request, token.resource, tracked.selected));
    const base = `${rootOf(request)}/${token.resource}/delta`;
    const value = page.units.flatMap((unit) => unit.texts).join(',');
    const link =
      page.next === undefined
        ? `"@odata.deltaLink":"${base}?$deltatoken=${this.#deltaToken(request, token)}"`
        : `"@odata.nextLink":"${base}?$skiptoken=${sealToken(world, this.#pageToken(request, token, page.next))}"`;
    return {
      body: `{"@odata.context":${context},${link},"value":[${value}]}`,
      headers: minimal ? { 'Preference-Applied': 'return=minimal' } : {},
    };
  }

  #pageToken(request: GraphRequest, token: PageToken, next: Pick<PageToken, 'at' | 'open'>): PageToken {
    return { ...token, at: next.at, open: next.open, page: token.page + 1, issuedAt: request.world.clock.now() };
  }

  #deltaToken(request: GraphRequest, token: PageToken): string {
    const { resource, tenant, app, serial, select, ids, to } = token;
    const issuedAt = request.world.clock.now();
    return sealToken(request.world, { kind: 'delta', resource, tenant, app, serial, issuedAt, select, ids, seen: to });
  }
}
