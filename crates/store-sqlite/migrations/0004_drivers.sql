-- Every update names the version that it has read, and makes the next one: an update that is based on an older row changes nothing.
ALTER TABLE sessions ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE statements ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- Lists may show the rows of one user only.
CREATE INDEX sessions_by_owner ON sessions (owner, id) WHERE listed = 1;
CREATE INDEX batches_by_owner ON batches (owner, id) WHERE listed = 1;
