/** What a key of `/v1` is for: readers change nothing. */
export const KEY_ROLES = ['administrator', 'reader'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];
