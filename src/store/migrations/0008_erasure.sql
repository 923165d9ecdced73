-- A person's events are found to be blanked, without reading all of the tenant's.
CREATE INDEX event_of_user ON event (tenant_no, subject_id) WHERE subject_kind = 'user';
-- Taken intents are dropped by age.
CREATE INDEX intent_taken ON intent (taken_at) WHERE taken_at IS NOT NULL;
