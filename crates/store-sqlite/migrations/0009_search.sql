-- What lists are searched by. The documents have it, too; these columns are what an index needs.
ALTER TABLE sessions ADD COLUMN state_name TEXT;
ALTER TABLE sessions ADD COLUMN kind TEXT;
ALTER TABLE batches ADD COLUMN state_name TEXT;
ALTER TABLE batches ADD COLUMN created_at INTEGER;

UPDATE sessions SET
    state_name = CASE WHEN json_valid(state) THEN CASE state ->> '$.state' WHEN 'ended' THEN state ->> '$.outcome' ELSE state ->> '$.state' END END,
    kind = CASE WHEN json_valid(request) THEN request ->> '$.kind' END;
UPDATE batches SET
    state_name = CASE WHEN json_valid(state) THEN CASE state ->> '$.state' WHEN 'ended' THEN state ->> '$.outcome' ELSE state ->> '$.state' END END;
-- A time is a text such as 2026-11-21T14:00:37.917Z, with up to nine digits of the second's parts.
UPDATE batches SET created_at = unixepoch(substr(times ->> '$.created_at', 1, 19)) * 1000000
    + CAST(substr(CASE instr(times ->> '$.created_at', '.') WHEN 0 THEN ''
                  ELSE rtrim(substr(times ->> '$.created_at', 21), 'Z') END || '000000', 1, 6) AS INTEGER)
WHERE json_valid(times);

-- A search reads these indexes and no row, as a row may be long. SQLite reads the row unless its index also has `listed`.
DROP INDEX sessions_listed;
DROP INDEX sessions_by_owner;
DROP INDEX sessions_by_name;
DROP INDEX batches_listed;
DROP INDEX batches_by_owner;
DROP INDEX batches_by_name;
CREATE INDEX sessions_by_owner ON sessions (owner, id, state_name, kind, created_at, listed) WHERE listed = 1;
CREATE INDEX sessions_by_name ON sessions (name, id, state_name, kind, created_at, listed) WHERE listed = 1 AND name IS NOT NULL;
CREATE INDEX sessions_listed ON sessions (id, state_name, kind, created_at, listed) WHERE listed = 1;
CREATE INDEX batches_by_owner ON batches (owner, id, state_name, created_at, listed) WHERE listed = 1;
CREATE INDEX batches_by_name ON batches (name, id, state_name, created_at, listed) WHERE listed = 1 AND name IS NOT NULL;
CREATE INDEX batches_listed ON batches (id, state_name, created_at, listed) WHERE listed = 1;
