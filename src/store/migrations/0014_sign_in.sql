-- Where people may come back to after signing in, and whether they have to be assigned to the application.
ALTER TABLE tenant ADD COLUMN sign_in jsonb NOT NULL DEFAULT '{}';

-- One-time codes that the product exchanges for who signed in. A mark of the code alone is kept.
CREATE TABLE sign_in_code (
  code_hash    bytea PRIMARY KEY,
  tenant_no    integer NOT NULL,
  entra_tenant uuid NOT NULL,
  user_id      uuid NOT NULL,
  return_to    text NOT NULL,
  auth_time    timestamptz,
  signed_in_at timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz
);
CREATE INDEX sign_in_code_expiry ON sign_in_code (expires_at);
