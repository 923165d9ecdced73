-- Who was deleted while groups of a scope were read: of their memberships no feed tells once they are restored.
CREATE TABLE scope_deleted (
  tenant_no integer NOT NULL REFERENCES scope (tenant_no) ON DELETE CASCADE,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  listed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_no, kind, object_id)
);
-- Groups were read since they were listed.
ALTER TABLE scope ADD COLUMN list_deleted boolean NOT NULL DEFAULT true;
