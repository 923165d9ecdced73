-- All that its feed had to tell in a round that ended early: no later round is told of it again.
ALTER TABLE staged_removal ADD COLUMN carried boolean NOT NULL DEFAULT false;
