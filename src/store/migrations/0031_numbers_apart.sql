-- Workflows know a tenant by its number, and two installations may meet on one Temporal. A database that counts from a place
-- of its own has no number of the other's, even where both have a tenant of the same name.
SELECT setval(
  pg_get_serial_sequence('tenant', 'no'),
  greatest((SELECT max(no) FROM tenant), 1 + floor(random() * 1000000000)::integer)
);
