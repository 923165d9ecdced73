-- The mirror. No foreign keys: a membership may be known before its member, and a purge goes in steps.
-- `data` holds an object's attributes under Graph's names; an attribute that was never set is absent.
CREATE TABLE directory_user (
  tenant_no  integer NOT NULL,
  id         uuid NOT NULL,
  data       jsonb NOT NULL,
  -- Soft-deleted in the directory: kept with its memberships, hidden from every list.
  deleted_at timestamptz,
  PRIMARY KEY (tenant_no, id)
);

CREATE TABLE directory_group (
  tenant_no  integer NOT NULL,
  id         uuid NOT NULL,
  data       jsonb NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_no, id)
);

-- Few, and asked for wherever it matters who can be seen: without these each such question would read all users.
CREATE INDEX directory_user_deleted ON directory_user (tenant_no, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX directory_group_deleted ON directory_group (tenant_no, id) WHERE deleted_at IS NOT NULL;

CREATE TABLE membership (
  tenant_no   integer NOT NULL,
  group_id    uuid NOT NULL,
  member_id   uuid NOT NULL,
  member_type text NOT NULL,
  -- False while the member is not known yet: its event comes with the member, or at the round's end.
  told        boolean NOT NULL DEFAULT true,
  PRIMARY KEY (tenant_no, group_id, member_id)
);
CREATE INDEX membership_by_member ON membership (tenant_no, member_id);
CREATE INDEX membership_untold ON membership (tenant_no, member_id) WHERE NOT told;

-- The contract's memberships: told, of an existing group, and of a member that is not soft-deleted. Looked up one by one:
-- joined, the planner would read whole tables for a few rows, being wrong about tables that grow faster than they are analysed.
CREATE VIEW visible_membership AS
SELECT m.tenant_no, m.group_id, m.member_id, m.member_type
FROM membership m
WHERE m.told
  AND (SELECT g.deleted_at IS NULL FROM directory_group g WHERE g.tenant_no = m.tenant_no AND g.id = m.group_id)
  AND (SELECT u.deleted_at FROM directory_user u WHERE u.tenant_no = m.tenant_no AND u.id = m.member_id) IS NULL
  AND (SELECT n.deleted_at FROM directory_group n WHERE n.tenant_no = m.tenant_no AND n.id = m.member_id) IS NULL;

-- The running round of a tenant, or its last. The id comes from the workflow, so that a repeated slice finds its round.
CREATE TABLE round (
  tenant_no    integer PRIMARY KEY,
  id           text NOT NULL,
  kind         text NOT NULL,
  -- The first import tells no single change, only its summary.
  quiet        boolean NOT NULL,
  -- A full round beside a mirror marks what it sees; what stays unmarked is gone.
  marks        boolean NOT NULL,
  started_at   timestamptz NOT NULL,
  completed_at timestamptz,
  pages        integer NOT NULL DEFAULT 0,
  changes      integer NOT NULL DEFAULT 0,
  -- How many more (or fewer) are visible since the counts of the tenant were last set: what its events add up to.
  users        integer NOT NULL DEFAULT 0,
  groups       integer NOT NULL DEFAULT 0,
  memberships  integer NOT NULL DEFAULT 0
);

-- Where each feed stands. `epoch` is the fence: a slice raises it and writes only while it is still its own.
CREATE TABLE checkpoint (
  tenant_no  integer NOT NULL,
  feed       text NOT NULL,
  epoch      bigint NOT NULL DEFAULT 0,
  -- Of the query that the links belong to; another query needs a full round.
  query_hash text,
  delta_link text,
  next_link  text,
  done       boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_no, feed)
);

-- Removals wait here until the round's deltaLink; a re-addition in the same round takes its row out again.
-- kind: membership (object = group), group, user, disable (accountEnabled to false).
CREATE TABLE staged_removal (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  member_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  reason    text NOT NULL,
  PRIMARY KEY (tenant_no, kind, object_id, member_id)
);

-- What a full round has seen. A table of its own, so that a round which finds no difference writes no row of the mirror.
CREATE TABLE round_mark (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  member_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  PRIMARY KEY (tenant_no, kind, object_id, member_id)
);
