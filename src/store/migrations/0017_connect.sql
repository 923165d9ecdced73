-- What is asked for, how the tenant is shown to the customer's administrator, and how far the last check saw the grant.
ALTER TABLE tenant
  ADD COLUMN profiles     jsonb NOT NULL DEFAULT '["directory"]',
  ADD COLUMN presentation jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN grant_check  jsonb;
