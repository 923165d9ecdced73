-- Keys of the API. Of the key itself a hash alone is kept; it has more entropy than anybody can try out, so a fast one will do.
CREATE TABLE api_key (
  id           text PRIMARY KEY,
  name         text NOT NULL,
  role         text NOT NULL,
  -- The one tenant that it is for; null: all.
  tenant_no    integer,
  hash         bytea NOT NULL UNIQUE,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX api_key_tenant ON api_key (tenant_no);
