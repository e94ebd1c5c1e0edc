-- The journal, version 2 (version 1 had no `tail`; it gets one with the first event that is appended). `PRAGMA user_version` holds the version, `PRAGMA application_id` says that it is ours ('FLRJ').
--
-- All text is UTF-8. Several processes may append; each does so in one transaction that holds the write lock from the
-- reading of the last row on, so the chain never forks.

PRAGMA application_id = 0x464C524A;
PRAGMA user_version = 2;

-- What happened, in order, never changed.
--   seq    1, 2, 3, ... without a gap
--   at     when, by the controller's clock: microseconds since 1970, UTC
--   run    id of the run; empty where it belongs to none
--   host   name of the host; empty where it is about the run as a whole
--   kind   what kind of event it is, as in the body
--   body   the event itself: JSON
--   hash   SHA-256 over the hash of the row before (32 zero bytes for the first) followed by
--            seq LF at LF len(run) ":" run len(host) ":" host len(kind) ":" kind body
--          with numbers in decimal and lengths in bytes
CREATE TABLE events (
    seq  INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    run  TEXT NOT NULL,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
);

-- Of one run: rows arrive in order, so this index grows at its end.
CREATE INDEX events_of_run ON events (run);

-- Of one host, over all runs.
CREATE INDEX events_of_host ON events (host) WHERE host <> '';

-- About runs as a whole: starts, ends, waves, commands. Few, and asked for often.
CREATE INDEX events_about_runs ON events (seq) WHERE host = '';

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

-- What a run was made of (plan, playbook, incident, fleet), compressed by zlib, named by the SHA-256 (hex) of its plain
-- bytes. `run.started` names them, so the chain covers them as well.
CREATE TABLE documents (
    sha256 TEXT PRIMARY KEY,
    body   BLOB NOT NULL
) WITHOUT ROWID;

-- The last event, written in the transaction that appends it: where events are missing behind the last one that is there,
-- somebody cut them off. Who also rewrites this row is found out by a hash that was noted elsewhere, and by that alone.
CREATE TABLE tail (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL
);
