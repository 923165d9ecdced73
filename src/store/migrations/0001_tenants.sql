-- One row an environment. `no` is never reused, and everything else carries it;
-- the environment's own name stands here alone, so that it can live twice without being taken for one.
CREATE TABLE tenant (
  no                    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id                    text NOT NULL,
  name                  text,
  phase                 text NOT NULL DEFAULT 'awaiting_consent',
  paused                boolean NOT NULL DEFAULT false,
  problem               jsonb,
  -- The state that the feed was last told.
  state                 text NOT NULL DEFAULT 'awaiting_consent',
  groups_to_sync        jsonb NOT NULL DEFAULT '[]',
  expected_entra_tenant uuid,
  -- Proven: this environment may read that directory.
  entra_tenant          uuid,
  -- A consent whose giver could not be shown to be an administrator waits here for /approve.
  candidate             jsonb,
  shared_directory      boolean NOT NULL DEFAULT false,
  require_approval      boolean NOT NULL DEFAULT false,
  -- Raised to make every set-up link that was handed out so far worthless.
  link_serial           integer NOT NULL DEFAULT 1,
  last_sync             jsonb,
  as_of                 timestamptz,
  users                 integer NOT NULL DEFAULT 0,
  groups                integer NOT NULL DEFAULT 0,
  memberships           integer NOT NULL DEFAULT 0,
  created_at            timestamptz NOT NULL DEFAULT now(),
  updated_at            timestamptz NOT NULL DEFAULT now(),
  deleting_at           timestamptz,
  -- Set by the last act of a purge: the row stays as a tombstone, the name is free again.
  deleted_at            timestamptz
);
CREATE UNIQUE INDEX tenant_name ON tenant (id) WHERE deleted_at IS NULL;
-- One directory, one environment, unless the environment was made to share.
CREATE UNIQUE INDEX tenant_directory ON tenant (entra_tenant) WHERE deleted_at IS NULL AND NOT shared_directory;

-- The application token of the tenant's directory, sealed for all workers.
CREATE TABLE tenant_token (
  tenant_no  integer PRIMARY KEY,
  sealed     bytea NOT NULL,
  expires_at timestamptz NOT NULL
);

-- What the API wants of the workflow. Committed before the message is sent, ticked by the workflow, repeated by the sweeper.
CREATE TABLE intent (
  id         uuid PRIMARY KEY,
  seq        bigint GENERATED ALWAYS AS IDENTITY,
  tenant_no  integer NOT NULL,
  kind       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  taken_at   timestamptz
);
CREATE INDEX intent_open ON intent (created_at) WHERE taken_at IS NULL;

-- One start of a consent in one browser. Only hashes of state and cookie are kept.
CREATE TABLE consent_attempt (
  state_hash   bytea PRIMARY KEY,
  tenant_no    integer NOT NULL,
  step         text NOT NULL,
  browser_hash bytea NOT NULL,
  entra_tenant uuid,
  sealed       bytea,
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz
);
CREATE INDEX consent_attempt_expiry ON consent_attempt (expires_at);

