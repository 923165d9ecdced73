-- What the feed has said since of what it first told in part: names of attributes, and who is in a group no more. A read of the
-- whole may be older, and fills the rest alone.
ALTER TABLE partial_object ADD COLUMN told text[] NOT NULL DEFAULT '{}', ADD COLUMN gone uuid[] NOT NULL DEFAULT '{}';
