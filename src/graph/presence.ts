import type { Suspect } from '../domain/guard.ts';
import type { GraphClient } from './client.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf, type Json } from './json.ts';

export interface PresenceRequest {
  readonly suspect: Suspect;
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

/** `unknown`: Graph answered, and what it said decides nothing. */
export type PresenceOutcome =
  | { readonly kind: 'present' | 'absent' | 'unknown' }
  | Extract<GraphFailure, { kind: 'throttled' | 'unavailable' | 'token_rejected' }>;

/** One cheap read: of the object by its id, of a membership in the first page of its group's members. */
export async function readPresence(
  client: GraphClient,
  { suspect, accessToken, signal }: PresenceRequest,
): Promise<PresenceOutcome> {
  const reply = await client.get(pathOf(suspect), { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
  switch (reply.kind) {
    case 'ok':
      return { kind: judge(suspect, reply.body) };
    case 'not_found':
      return { kind: 'absent' };
    case 'throttled':
    case 'unavailable':
    case 'token_rejected':
      return reply;
    default:
      return { kind: 'unknown' };
  }
}

function pathOf(suspect: Suspect): string {
  switch (suspect.kind) {
    case 'user':
      return `/users/${suspect.id}?$select=id`;
    case 'disable':
      return `/users/${suspect.id}?$select=id,accountEnabled`;
    case 'group':
      return `/groups/${suspect.id}?$select=id`;
    case 'membership':
      return `/groups/${suspect.groupId}/members?$select=id&$top=999`;
  }
}

function judge(suspect: Suspect, body: Json): 'present' | 'absent' | 'unknown' {
  if (suspect.kind === 'disable') return body['accountEnabled'] === true ? 'present' : 'absent';
  if (suspect.kind !== 'membership') return 'present';
  const value = body['value'];
  if (!Array.isArray(value)) return 'unknown';
  const found = value.some(
    (member: unknown) => isObject(member) && textOf(member['id'])?.toLowerCase() === suspect.memberId.toLowerCase(),
  );
  if (found) return 'present';
  return textOf(body['@odata.nextLink']) === undefined ? 'absent' : 'unknown';
}
