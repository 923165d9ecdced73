-- Asked only for one member, or a few: a hash is looked up as well as a tree, and each row of a first import costs it half as
-- much. Ids are unique beyond the tenant, so the member's alone leads to the same rows.
DROP INDEX membership_by_member;
CREATE INDEX membership_by_member ON membership USING hash (member_id);
