-- Whether its links lead anywhere is found as of a feed's checkpoint.
ALTER TABLE pick ADD COLUMN pages integer NOT NULL DEFAULT 0, ADD COLUMN barren integer NOT NULL DEFAULT 0, ADD COLUMN anchor text;
