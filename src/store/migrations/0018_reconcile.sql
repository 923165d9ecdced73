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
  -- Objects and memberships compared in the last one, and what its second looks came to.
  compared     bigint NOT NULL DEFAULT 0,
  suspected    integer NOT NULL DEFAULT 0,
  drift        integer NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL,
  -- When Graph's own counts were compared last, and how often in a row they differed.
  counted_at   timestamptz NOT NULL DEFAULT now(),
  strikes      integer NOT NULL DEFAULT 0
);

-- What it met so far; also what a second look meets.
CREATE TABLE reconcile_mark (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  member_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  PRIMARY KEY (tenant_no, kind, object_id, member_id)
);

-- Objects of which it said something else than the mirror; of a group its members count too.
CREATE TABLE suspect (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  seen_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_no, kind, object_id)
);
