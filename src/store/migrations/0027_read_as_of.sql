-- When all of the directory was read last: who was created later is new, and not back.
ALTER TABLE tenant ADD COLUMN read_as_of timestamptz;
UPDATE tenant SET read_as_of = as_of;
