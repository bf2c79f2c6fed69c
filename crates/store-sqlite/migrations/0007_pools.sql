-- A driver may wait in a pool before a session takes it. It has neither a session nor a batch then. `pooled` has the pool's name, how far
-- the driver was started, and its configuration, as JSON. It stays when a session takes the driver.
ALTER TABLE drivers ADD COLUMN pooled TEXT;

-- What the pools did for a session, as JSON.
ALTER TABLE sessions ADD COLUMN pool TEXT;
