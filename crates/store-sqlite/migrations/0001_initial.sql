-- Times are microseconds since 1970. Columns with documents (request, state, app, driver) hold JSON as `domain` writes it; a column
-- stands beside them only where a query needs it.

-- Numbers that only grow: a session's number is used up even when the session is refused, so it cannot be taken from the rows.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, next) VALUES ('session', 0);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    listed INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    ended_at INTEGER,
    -- No statement gets a number below this: those that were deleted had them.
    statement_floor INTEGER NOT NULL DEFAULT 0,
    name TEXT,
    owner TEXT,
    proxy_user TEXT,
    state TEXT NOT NULL,
    app TEXT,
    driver TEXT,
    request TEXT NOT NULL
) STRICT;

-- A name is taken by a session that is listed and has not ended; several that have ended may share it.
CREATE UNIQUE INDEX sessions_taken_names ON sessions (name) WHERE listed = 1 AND ended_at IS NULL AND name IS NOT NULL;
CREATE INDEX sessions_by_name ON sessions (name, id) WHERE listed = 1 AND name IS NOT NULL;
CREATE INDEX sessions_listed ON sessions (id) WHERE listed = 1;
CREATE INDEX sessions_unended ON sessions (id) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_end ON sessions (ended_at, id) WHERE ended_at IS NOT NULL;

CREATE TABLE statements (
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- A short output is in `output`; of a long one these are the count and the length of its rows in `statement_chunks`.
    output_chunks INTEGER,
    output_bytes INTEGER,
    output TEXT,
    code TEXT NOT NULL,
    PRIMARY KEY (session, id)
) STRICT;

CREATE INDEX statements_by_end ON statements (session, finished, id);

CREATE TABLE statement_chunks (
    session INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (session, statement, idx),
    FOREIGN KEY (session, statement) REFERENCES statements (session, id) ON DELETE CASCADE
) STRICT;
