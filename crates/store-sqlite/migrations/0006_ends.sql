-- The last lines of the log of a session or batch that has ended, as a JSON array. Lists show them, and read no log.
ALTER TABLE sessions ADD COLUMN last_lines TEXT;
ALTER TABLE batches ADD COLUMN last_lines TEXT;
