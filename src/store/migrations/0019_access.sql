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

-- Who did what, when, from where: written before the deed, ended with what became of it. Tenants and keys stand here by
-- their names, so that a deed is known for what it was after they are gone.
CREATE TABLE audit_entry (
  no         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  -- key, visitor of the set-up pages, operator of the command line
  actor      text NOT NULL,
  key_id     text,
  action     text NOT NULL,
  tenant     text,
  subject    text,
  address    text,
  request_id uuid,
  status     integer
);
CREATE INDEX audit_entry_at ON audit_entry (at);
CREATE INDEX audit_entry_tenant ON audit_entry (tenant, no);

-- No set-up link of the tenant works until one is made anew; its serial moves on as well.
ALTER TABLE tenant ADD COLUMN link_revoked boolean NOT NULL DEFAULT false;
