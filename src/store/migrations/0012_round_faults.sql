-- How a round is found to lead nowhere, with the same few values however long it is: see src/store/pages.ts.
ALTER TABLE checkpoint
  -- Of the running round; of the last full one that came to its end.
  ADD COLUMN pages      integer NOT NULL DEFAULT 0,
  ADD COLUMN full_pages integer NOT NULL DEFAULT 0,
  -- Pages in a row that said nothing new, counted once there are far more than a full round had.
  ADD COLUMN barren     integer NOT NULL DEFAULT 0,
  -- Hash of the link that was met at the last power of two of pages: a link that comes again meets it.
  ADD COLUMN anchor     text;

-- What was left out of pages, so that an operator can see it: reasons, never values.
CREATE TABLE skipped_part (
  tenant_no integer NOT NULL,
  feed      text NOT NULL,
  reason    text NOT NULL,
  count     bigint NOT NULL,
  last_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_no, feed, reason)
);
