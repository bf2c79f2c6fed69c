-- Every update names the version that it has read, and makes the next one: an update that is based on an older row changes nothing.
ALTER TABLE sessions ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE statements ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- Lists may show the rows of one user only.
CREATE INDEX sessions_by_owner ON sessions (owner, id) WHERE listed = 1;
CREATE INDEX batches_by_owner ON batches (owner, id) WHERE listed = 1;

-- A driver is a thing of its own: made for a session or a batch, driven by one server at a time. Columns with documents (state, times, app)
-- hold JSON as `domain` writes it.
CREATE TABLE drivers (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT 0,
    program TEXT NOT NULL,
    session INTEGER,
    batch INTEGER,
    state TEXT NOT NULL,
    times TEXT NOT NULL,
    -- The same as in `times`, which holds them all.
    ended_at INTEGER,
    -- A launcher's text.
    location TEXT,
    token_hash TEXT,
    -- The agent process that was last connected.
    instance TEXT,
    app TEXT,
    -- The server that drives it, and when another one may.
    owner TEXT,
    lease_until INTEGER
) STRICT;

CREATE INDEX drivers_unended ON drivers (id) WHERE ended_at IS NULL;
CREATE INDEX drivers_by_owner ON drivers (owner) WHERE owner IS NOT NULL;

-- Sessions and batches that have not ended held the state of their drivers. What cannot be read is left where it is.
INSERT INTO drivers (id, program, session, state, times, location, token_hash, app)
SELECT driver ->> '$.id', 'agent', id,
       CASE state ->> '$.state'
           WHEN 'starting' THEN json_object('state', state ->> '$.step')
           WHEN 'running' THEN json_object('state', 'up', 'link', state ->> '$.link')
           ELSE json_object('state', 'stopping', 'cause', state -> '$.cause', 'failure', state -> '$.failure',
                            'forced', state -> '$.forced', 'was_up', json('false'))
       END,
       json_object('created_at', strftime('%Y-%m-%dT%H:%M:%S', created_at / 1000000, 'unixepoch')
                                 || printf('.%06dZ', created_at % 1000000),
                   'launched_at', NULL, 'up_at', NULL, 'ended_at', NULL),
       nullif(driver -> '$.process', 'null'), driver ->> '$.token_hash', app
FROM sessions
WHERE ended_at IS NULL AND CASE WHEN json_valid(driver) THEN driver ->> '$.id' END IS NOT NULL
      AND CASE WHEN json_valid(state) THEN state ->> '$.state' END IN ('starting', 'running', 'stopping')
ON CONFLICT DO NOTHING;

INSERT INTO drivers (id, program, batch, state, times, location, token_hash, app)
SELECT driver ->> '$.id', 'application', id,
       CASE state ->> '$.state'
           WHEN 'starting' THEN json_object('state', CASE state ->> '$.step' WHEN 'submitted' THEN 'connecting' ELSE state ->> '$.step' END)
           WHEN 'running' THEN json_object('state', 'up', 'link', 'up')
           ELSE json_object('state', 'stopping', 'cause', state -> '$.cause', 'failure', NULL,
                            'forced', json('true'), 'was_up', state -> '$.was_running')
       END,
       json_object('created_at', times ->> '$.created_at', 'launched_at', times ->> '$.launched_at',
                   'up_at', times ->> '$.running_at', 'ended_at', NULL),
       nullif(driver -> '$.process', 'null'), driver ->> '$.token_hash', app
FROM batches
WHERE ended_at IS NULL AND json_valid(times) AND CASE WHEN json_valid(driver) THEN driver ->> '$.id' END IS NOT NULL
      AND CASE WHEN json_valid(state) THEN state ->> '$.state' END IN ('starting', 'running', 'stopping')
ON CONFLICT DO NOTHING;

-- From now on the column `driver` has the driver's name.
UPDATE sessions SET driver = driver ->> '$.id' WHERE CASE WHEN json_valid(driver) THEN driver ->> '$.id' END IS NOT NULL;
UPDATE batches SET driver = driver ->> '$.id' WHERE CASE WHEN json_valid(driver) THEN driver ->> '$.id' END IS NOT NULL;
