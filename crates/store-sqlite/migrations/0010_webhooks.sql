-- The places that are to be told of an end. The transaction that creates a session, statement or batch writes the row; the one that stores
-- the end puts a delivery in its place.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY,
    session INTEGER REFERENCES sessions (id) ON DELETE CASCADE,
    -- A statement of the session. Null if the session's own end is meant.
    statement INTEGER,
    batch INTEGER REFERENCES batches (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    host TEXT NOT NULL
) STRICT;

CREATE INDEX webhooks_by_session ON webhooks (session, statement);
CREATE INDEX webhooks_by_batch ON webhooks (batch);

-- No foreign key: a client is told of the end of a session that was deleted.
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    -- JSON as `domain` writes it.
    notice TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_at INTEGER,
    -- The first attempt is due at once.
    due_at INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
) STRICT;

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at);
