-- What of the directory is mirrored, as far as the tenant has settings of its own.
ALTER TABLE tenant ADD COLUMN scope jsonb NOT NULL DEFAULT '{}';
