-- What a directory tells us of its changes: one subscription a collection, made at Graph and renewed there.
CREATE TABLE subscription (
  tenant_no         integer NOT NULL,
  resource          text NOT NULL,
  -- Graph's.
  id                text NOT NULL,
  -- Comes back with each notification; kept as a hash, since it is all that proves one.
  client_state_hash bytea NOT NULL,
  expires_at        timestamptz NOT NULL,
  PRIMARY KEY (tenant_no, resource)
);
CREATE INDEX subscription_by_id ON subscription (id);

-- Beside the tenant's own row, which a slice holds while notifications arrive.
CREATE TABLE notification_state (
  tenant_no       integer PRIMARY KEY,
  -- A hint that is on its way to the workflow: until a round takes it, no further one is sent.
  hint_pending_at timestamptz,
  -- When the subscriptions are looked after next, at which base address they tell; null: there are none.
  keep_at         timestamptz,
  base_url        text,
  failures        integer NOT NULL DEFAULT 0,
  failing_since   timestamptz
);
