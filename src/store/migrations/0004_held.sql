-- Thresholds of the guard against mass changes, as far as the tenant has its own.
ALTER TABLE tenant ADD COLUMN guard jsonb NOT NULL DEFAULT '{}';

-- Removals that were too many at once wait here for a person, apart from what a round stages.
CREATE TABLE held_set (
  tenant_no  integer PRIMARY KEY,
  since      timestamptz NOT NULL DEFAULT now(),
  -- Raised whenever another round adds to the set: an approval covers what stood in it when it was given.
  generation integer NOT NULL DEFAULT 1,
  approved   integer,
  -- Which thresholds were exceeded, and what a fresh read of some entries showed.
  exceeded   jsonb NOT NULL,
  sample     jsonb
);

-- As in staged_removal. An entry is cancelled by the page that says that it is true no more, and dropped with the round's
-- end: a later page of the same round may say again that it is.
CREATE TABLE held_removal (
  tenant_no  integer NOT NULL,
  kind       text NOT NULL,
  object_id  uuid NOT NULL,
  member_id  uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  reason     text NOT NULL,
  generation integer NOT NULL,
  cancelled  boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_no, kind, object_id, member_id)
);
