-- One row hands out positions, as the last statement of every transaction that has events:
-- its lock makes commit order position order, without gaps.
CREATE TABLE feed (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  -- Another number after a restore makes old cursors recognisable.
  epoch bigint NOT NULL,
  -- Which database this is (system identifier and timeline), to notice a restore by ourselves where the server tells.
  database_identity text,
  head  bigint NOT NULL DEFAULT 0,
  -- Positions up to here have been dropped by retention.
  floor bigint NOT NULL DEFAULT 0
);
INSERT INTO feed (epoch) VALUES (floor(random() * 2000000000)::bigint + 1);

CREATE TABLE event (
  position     bigint PRIMARY KEY,
  -- The feed's when it was told: with the position it is the event's id, which a restore must neither change nor repeat.
  epoch        bigint NOT NULL,
  tenant_no    integer NOT NULL,
  at           timestamptz NOT NULL,
  type         text NOT NULL,
  subject_kind text NOT NULL,
  subject_id   text NOT NULL,
  data         jsonb,
  changed      jsonb,
  reason       text
);
CREATE INDEX event_of_tenant ON event (tenant_no, position);
