-- Since when a tenant is revoked, until when its mirror is kept after that, and when it was purged.
ALTER TABLE tenant ADD COLUMN revoked_at timestamptz;
ALTER TABLE tenant ADD COLUMN purged_at timestamptz;
ALTER TABLE tenant ADD COLUMN retain_days integer NOT NULL DEFAULT 30;
UPDATE tenant SET revoked_at = updated_at WHERE phase = 'revoked';
-- A feed that Microsoft refuses while the other goes on: the round then says nothing of how fresh all is.
ALTER TABLE round ADD COLUMN set_aside text;
