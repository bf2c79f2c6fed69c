-- Batches are counted apart from sessions, and a name may be a session's and a batch's at once.
INSERT INTO counters (name, next) VALUES ('batch', 0);

CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    listed INTEGER NOT NULL DEFAULT 1,
    -- The same as in `times`, which holds them all.
    ended_at INTEGER,
    name TEXT,
    owner TEXT,
    proxy_user TEXT,
    state TEXT NOT NULL,
    times TEXT NOT NULL,
    app TEXT,
    driver TEXT,
    request TEXT NOT NULL
) STRICT;

-- As for sessions.
CREATE UNIQUE INDEX batches_taken_names ON batches (name) WHERE listed = 1 AND ended_at IS NULL AND name IS NOT NULL;
CREATE INDEX batches_by_name ON batches (name, id) WHERE listed = 1 AND name IS NOT NULL;
CREATE INDEX batches_listed ON batches (id) WHERE listed = 1;
CREATE INDEX batches_unended ON batches (id) WHERE ended_at IS NULL;
CREATE INDEX batches_by_end ON batches (ended_at, id) WHERE ended_at IS NOT NULL;
