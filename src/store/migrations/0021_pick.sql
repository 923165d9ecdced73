-- Objects that are being read by id, over more than one page: where to go on, within the round whose pages they are.
CREATE TABLE pick (
  tenant_no integer NOT NULL,
  why       text NOT NULL,
  round_id  text NOT NULL,
  feed      text NOT NULL,
  ids       jsonb NOT NULL,
  next_link text NOT NULL,
  PRIMARY KEY (tenant_no, why)
);
