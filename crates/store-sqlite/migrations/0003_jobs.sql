-- As `statement_floor`, but jobs count from 1.
ALTER TABLE sessions ADD COLUMN job_floor INTEGER NOT NULL DEFAULT 1;

CREATE TABLE jobs (
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    language TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT,
    -- A short result is in `result`; of a long one these are the count and the length of its rows in `job_chunks`.
    result_chunks INTEGER,
    result_bytes INTEGER,
    result TEXT,
    -- Its bytes, of no use to anybody when it is over.
    payload TEXT,
    PRIMARY KEY (session, id)
) STRICT;

CREATE INDEX jobs_by_end ON jobs (session, finished, id);

CREATE TABLE job_chunks (
    session INTEGER NOT NULL,
    job INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (session, job, idx),
    FOREIGN KEY (session, job) REFERENCES jobs (session, id) ON DELETE CASCADE
) STRICT;

-- They stay as long as their session, so their numbers can be taken from the rows.
CREATE TABLE resources (
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    pending INTEGER NOT NULL DEFAULT 1,
    used_as TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (session, id)
) STRICT;

CREATE INDEX resources_pending ON resources (session, id) WHERE pending = 1;
