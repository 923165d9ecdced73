-- What of the directory is mirrored, as far as the tenant has settings of its own.
ALTER TABLE tenant ADD COLUMN scope jsonb NOT NULL DEFAULT '{}';

-- A tenant that mirrors less than its directory, or is on its way from there to all of it. The others have no row, and
-- nothing is asked on their account.
CREATE TABLE scope (
  tenant_no     integer PRIMARY KEY,
  all_groups    boolean NOT NULL,
  nested        boolean NOT NULL,
  assigned_only boolean NOT NULL,
  guests        boolean NOT NULL,
  disabled      boolean NOT NULL,
  -- The operator changed it, and nobody has yet been looked for who is let in by that, or let out.
  entering      boolean NOT NULL DEFAULT true,
  leaving       boolean NOT NULL DEFAULT true,
  -- It lets in what only a full round can show; `widening` while that round runs.
  read_all      boolean NOT NULL DEFAULT false,
  widening      boolean NOT NULL DEFAULT false
);

-- Groups to sync. An entry that was found is kept by the group's id, so that a rename keeps the group.
CREATE TABLE scope_group (
  tenant_no  integer NOT NULL,
  entry      text NOT NULL,
  group_id   uuid,
  -- Of an entry that fits no group or several.
  candidates jsonb,
  PRIMARY KEY (tenant_no, entry)
);
CREATE INDEX scope_group_by_id ON scope_group (tenant_no, group_id);

-- Who is assigned to the application, and of assigned groups the direct members, which the groups' feed keeps true.
CREATE TABLE scope_assigned (
  tenant_no    integer NOT NULL,
  principal_id uuid NOT NULL,
  kind         text NOT NULL,
  -- Of a group: its members have been read.
  read         boolean NOT NULL,
  PRIMARY KEY (tenant_no, principal_id)
);
CREATE TABLE scope_assignee (
  tenant_no integer NOT NULL,
  user_id   uuid NOT NULL,
  -- The assigned group, or the user.
  via       uuid NOT NULL,
  PRIMARY KEY (tenant_no, user_id, via)
);
CREATE INDEX scope_assignee_by_via ON scope_assignee (tenant_no, via);

-- Ids whose place may have changed: who is not mirrored is asked for before the round ends, who is mirrored is judged at its end.
CREATE TABLE scope_due (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  PRIMARY KEY (tenant_no, kind, object_id)
);

-- Memberships of whoever is kept out stay untold; the others that are untold must be found without them.
CREATE INDEX membership_untold_other ON membership (tenant_no) WHERE NOT told AND member_type NOT IN ('user', 'group');
