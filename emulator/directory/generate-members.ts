import { hash32, Random } from '../random.ts';
import type { GeneratedMembers } from './memberships.ts';
import { refOf, type ObjectKind } from './object-ref.ts';

export interface MembersSpec {
  readonly seed: number;
  readonly sizes: Readonly<Record<ObjectKind, number>>;
  readonly memberships: number;
  /** Rings of nested groups: A holds B, B holds C, C holds A. */
  readonly nestedCycles: number;
}

const RING_LENGTH = 3;
// The largest group holds about this part of all memberships, as an "all staff" group does.
const LARGEST_SHARE = 0.1;

/**
 * Deals out the memberships: one large group, a long tail of small ones, some with groups, devices, service principals
 * and contacts as members. The users of a group are an arithmetic progression with a step that shares no factor with
 * their number, so they differ without a set being kept.
 */
export function generateMembers(spec: MembersSpec): GeneratedMembers {
  const groups = spec.sizes.group;
  const others = Array.from({ length: groups }, (_, group) => otherMembers(spec, group));
  const otherTotal = others.reduce((sum, list) => sum + list.length, 0);
  const userCounts = dealUsers(spec, Math.max(0, spec.memberships - otherTotal));
  const total = otherTotal + userCounts.reduce((sum, count) => sum + count, 0);
  const starts = new Uint32Array(groups + 1);
  const refs = new Uint32Array(total);
  let at = 0;
  for (let group = 0; group < groups; group += 1) {
    starts[group] = at;
    for (const ref of others[group] ?? []) refs[at++] = ref;
    const count = userCounts[group] ?? 0;
    const users = spec.sizes.user;
    let user = users === 0 ? 0 : hash32(spec.seed, 1, group) % users;
    const step = coprimeStep(users, hash32(spec.seed, 2, group));
    for (let i = 0; i < count; i += 1) {
      refs[at++] = refOf('user', user);
      user = (user + step) % users;
    }
  }
  starts[groups] = at;
  return { starts, refs };
}

function otherMembers(spec: MembersSpec, group: number): number[] {
  const members: number[] = [];
  const { sizes } = spec;
  const rings = Math.min(spec.nestedCycles, Math.floor(sizes.group / RING_LENGTH));
  const ring = Math.floor(group / RING_LENGTH);
  if (ring < rings) members.push(refOf('group', ring * RING_LENGTH + ((group + 1) % RING_LENGTH)));
  const random = new Random(hash32(spec.seed, 3, group));
  const add = (kind: ObjectKind, probability: number): void => {
    if (sizes[kind] === 0 || !random.chance(probability)) return;
    const ref = refOf(kind, random.int(sizes[kind]));
    if (ref !== refOf('group', group) && !members.includes(ref)) members.push(ref);
  };
  // With no rings asked for, a nested group is always a later one, so that no ring appears by chance.
  if (random.chance(0.15) && group + 1 < sizes.group) {
    const nested = refOf('group', group + 1 + random.int(sizes.group - group - 1));
    if (!members.includes(nested)) members.push(nested);
  }
  add('device', group < 4 ? 1 : 0.1);
  add('servicePrincipal', group < 4 ? 1 : 0.1);
  add('orgContact', group < 4 ? 1 : 0.05);
  return members;
}

/** How many users each group gets: the total exactly, unless there are too few users for it. */
function dealUsers(spec: MembersSpec, total: number): number[] {
  const groups = spec.sizes.group;
  const users = spec.sizes.user;
  if (groups === 0 || users === 0) return [];
  const weights = Array.from({ length: groups }, (_, group) => 0.2 + (hash32(spec.seed, 4, group) % 1000) / 500);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  const largest = Math.min(users, Math.floor(total * LARGEST_SHARE));
  const counts = weights.map((weight) => Math.min(users, Math.floor(((total - largest) * weight) / weightSum)));
  // Group 0 is the large one; what rounding left over goes round the table until nothing is left or all are full.
  counts[0] = Math.min(users, (counts[0] ?? 0) + largest);
  let left = total - counts.reduce((sum, count) => sum + count, 0);
  for (let full = 0, group = 0; left > 0 && full < groups; group = (group + 1) % groups) {
    if ((counts[group] ?? 0) >= users) {
      full += 1;
      continue;
    }
    full = 0;
    counts[group] = (counts[group] ?? 0) + 1;
    left -= 1;
  }
  return counts;
}

function coprimeStep(size: number, wish: number): number {
  if (size <= 2) return 1;
  let step = 1 + (wish % (size - 1));
  while (gcd(step, size) !== 1) step = (step % (size - 1)) + 1;
  return step;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
