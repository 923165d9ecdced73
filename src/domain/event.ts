/** The events of the feed; see the contract's list of types and docs/events.md. */

export type EventType =
  | `user.${'created' | 'updated' | 'deleted' | 'restored'}`
  | `group.${'created' | 'updated' | 'deleted' | 'restored'}`
  | `membership.${'added' | 'removed'}`
  | `tenant.${'state_changed' | 'purged' | 'deleted'}`
  | 'sync.completed';

export type EventReason = 'directory' | 'scope' | 'purge';

export interface NewEvent {
  readonly type: EventType;
  /** For a membership the id is `groupId:memberId`, for a tenant or a sync the environment's name. */
  readonly subject: { readonly kind: 'user' | 'group' | 'membership' | 'tenant' | 'sync'; readonly id: string };
  /** The whole state after the change, so that an event applied twice does no harm; before it, where the thing is gone. */
  readonly data: unknown;
  /** Of an update: attribute → [old, new]; null stands for never set. */
  readonly changed?: Readonly<Record<string, readonly [unknown, unknown]>>;
  readonly reason?: EventReason;
}

/** An event as it is read: placed in the feed, and of a tenant that is named. */
export interface FeedEvent extends NewEvent {
  readonly id: string;
  readonly tenant: string;
  readonly at: string;
}
