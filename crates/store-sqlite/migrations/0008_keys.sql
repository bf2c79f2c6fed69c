-- The keys with which clients repeat a request that may have been done. A row is written in the transaction that makes what the request
-- asks for.
CREATE TABLE request_keys (
    id INTEGER PRIMARY KEY,
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    request TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    -- What the request made: 'session', 'batch', 'statement', 'job' or 'file', with its number, and the session that it belongs to. No
    -- foreign key: a request is not done again because what it made is gone.
    kind TEXT,
    session INTEGER,
    number INTEGER,
    UNIQUE (caller, key)
) STRICT;

CREATE INDEX request_keys_by_age ON request_keys (made_at, id);
CREATE INDEX request_keys_by_made ON request_keys (kind, session, number);

-- An answer shows what a session or batch has, so it goes with it.
CREATE TABLE key_answers (
    key INTEGER PRIMARY KEY REFERENCES request_keys (id) ON DELETE CASCADE,
    session INTEGER REFERENCES sessions (id) ON DELETE CASCADE,
    batch INTEGER REFERENCES batches (id) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    location TEXT,
    content_type TEXT,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX key_answers_of_session ON key_answers (session) WHERE session IS NOT NULL;
CREATE INDEX key_answers_of_batch ON key_answers (batch) WHERE batch IS NOT NULL;
CREATE INDEX key_answers_by_bytes ON key_answers (key, bytes);
