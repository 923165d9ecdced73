-- A read of the whole directory beside the delta rounds, which proves them or finds what they were silent about.
CREATE TABLE reconcile (
  tenant_no    integer PRIMARY KEY,
  epoch        bigint NOT NULL DEFAULT 0,
  comparing    boolean NOT NULL DEFAULT false,
  started_at   timestamptz,
  completed_at timestamptz,
  -- Where each feed goes on; null: at its start, or, with done, at its end.
  users_link   text,
  users_done   boolean NOT NULL DEFAULT false,
  groups_link  text,
  groups_done  boolean NOT NULL DEFAULT false,
  -- Of the feed that is being read: how it is found to lead nowhere, as a round is.
  pages        integer NOT NULL DEFAULT 0,
  barren       integer NOT NULL DEFAULT 0,
  anchor       text,
  -- Objects and memberships compared in the last one, and of how many objects it said something else.
  compared     bigint NOT NULL DEFAULT 0,
  suspected    integer NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL,
  -- When Graph's own counts were asked for last, and how often in a row they differed.
  counted_at   timestamptz NOT NULL DEFAULT now(),
  strikes      integer NOT NULL DEFAULT 0,
  -- By how much they did; and by how much they may, since a comparison found nothing behind it.
  off_users    bigint NOT NULL DEFAULT 0,
  off_groups   bigint NOT NULL DEFAULT 0,
  known_users  bigint NOT NULL DEFAULT 0,
  known_groups bigint NOT NULL DEFAULT 0
);

-- What it met so far.
CREATE TABLE reconcile_mark (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  member_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  PRIMARY KEY (tenant_no, kind, object_id, member_id)
);

-- Objects of which it said something else than the mirror; of a group its members count too. Looked at again a while after
-- seen_at, which the feed's own word about the object puts off.
CREATE TABLE suspect (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  seen_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_no, kind, object_id)
);

-- What the running second look met: marks of its own, for a comparison may begin anew beside it.
CREATE TABLE second_look_mark (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  member_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  PRIMARY KEY (tenant_no, kind, object_id, member_id)
);

-- What the second looks of the last reconcile confirmed: `missing` in the mirror, `extra` there, `different`.
CREATE TABLE drift (
  tenant_no  integer NOT NULL,
  kind       text NOT NULL,
  difference text NOT NULL,
  count      bigint NOT NULL,
  PRIMARY KEY (tenant_no, kind, difference)
);
