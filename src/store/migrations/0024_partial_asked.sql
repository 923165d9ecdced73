-- The round in which it was asked for and not shown yet: what a read is not that far for is asked for once a round. A group is
-- shown over several pages.
ALTER TABLE partial_object ADD COLUMN asked_in text, ADD COLUMN shown boolean NOT NULL DEFAULT false;
