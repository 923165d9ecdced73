-- The round in which Graph refused to show it: in that round the others have their turn.
ALTER TABLE scope_due ADD COLUMN refused_in text;
ALTER TABLE scope_assigned ADD COLUMN refused_in text;
