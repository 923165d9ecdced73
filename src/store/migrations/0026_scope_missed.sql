-- Whom a scope lets in and no read shows: a read may be older than the feed, so they are asked for once a round, for an hour.
-- Apart from `scope_due`, since for what a read has answered nobody's leaving waits.
CREATE TABLE scope_missed (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  asked_in  text NOT NULL,
  missed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_no, kind, object_id)
);
