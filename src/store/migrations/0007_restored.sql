-- Restored in the directory, and not yet looked at: what was kept of its memberships from before the deletion is told only
-- once Graph has listed it. A row that outlives a crash repeats the look.
CREATE TABLE restored_object (
  tenant_no   integer NOT NULL,
  kind        text NOT NULL,
  object_id   uuid NOT NULL,
  restored_at timestamptz NOT NULL DEFAULT now(),
  -- Null until a look has seen the object alive. What the first look did not find counts only if a second misses it too.
  looked_at   timestamptz,
  -- The round of the last try, so that each round tries once.
  looked_in   text,
  PRIMARY KEY (tenant_no, kind, object_id)
);
CREATE INDEX restored_object_by_id ON restored_object (tenant_no, object_id);

-- What has been said of memberships around such objects (`feed`), or was added on a look's word (`look`): a look may be
-- older than the feed, and never goes against it.
CREATE TABLE membership_word (
  tenant_no integer NOT NULL,
  group_id  uuid NOT NULL,
  member_id uuid NOT NULL,
  source    text NOT NULL,
  PRIMARY KEY (tenant_no, group_id, member_id)
);
CREATE INDEX membership_word_by_member ON membership_word (tenant_no, member_id);
