-- SQLite writes a whole row again when its length changes. Long code and payloads are therefore in tables of their own, because
-- their statements and jobs change state several times. Short ones stay in their row, and so do those that an earlier version wrote.
CREATE TABLE statement_codes (
    session INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (session, statement),
    FOREIGN KEY (session, statement) REFERENCES statements (session, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE job_payloads (
    session INTEGER NOT NULL,
    job INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (session, job),
    FOREIGN KEY (session, job) REFERENCES jobs (session, id) ON DELETE CASCADE
) STRICT;

-- The bytes of the output or result of a row that is over. Outputs in excess of a budget are found by these indexes alone. Short outputs
-- are not worth it: the number of rows bounds them.
ALTER TABLE statements ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

UPDATE statements SET held = coalesce(output_bytes, octet_length(output))
WHERE finished = 1 AND coalesce(output_bytes, octet_length(output)) > 4096;
UPDATE jobs SET held = coalesce(result_bytes, octet_length(result))
WHERE finished = 1 AND coalesce(result_bytes, octet_length(result)) > 4096;

CREATE INDEX statements_held ON statements (session, id, held) WHERE held > 4096;
CREATE INDEX jobs_held ON jobs (session, id, held) WHERE held > 4096;

-- From now on `finished` of statements and jobs may be 2: the row is being deleted, and readers do not see it.
