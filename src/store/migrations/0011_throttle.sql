-- Until when Microsoft is not to be asked, by any worker: of one tenant, or (0) of the whole application.
CREATE TABLE throttle (
  tenant_no integer PRIMARY KEY,
  until     timestamptz NOT NULL
);
