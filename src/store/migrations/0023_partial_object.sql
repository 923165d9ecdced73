-- What the feed first mentioned in part, and is stored so until it was asked for whole.
CREATE TABLE partial_object (
  tenant_no integer NOT NULL,
  kind      text NOT NULL,
  object_id uuid NOT NULL,
  noted_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_no, kind, object_id)
);
