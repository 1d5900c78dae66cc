-- The tables of a Stepwell store. Each part below takes a store from one version to the next, in one transaction;
-- a part that was released is never edited again.

-- migration 1

-- One row a run: its number, by which all other tables name it, and a projection of its journal.
-- A run without facts (seq 0) is not born yet: it holds its id and its key, and nobody sees it.
CREATE TABLE run (
    run        INTEGER PRIMARY KEY,
    run_id     TEXT NOT NULL UNIQUE,
    pipeline   TEXT NOT NULL,
    key        TEXT NOT NULL,
    target     TEXT NOT NULL DEFAULT '',
    status     TEXT NOT NULL DEFAULT '',
    reason     TEXT NOT NULL DEFAULT '',
    started_at REAL NOT NULL DEFAULT 0,
    updated_at REAL NOT NULL DEFAULT 0,
    ended_at   REAL,
    steps      INTEGER NOT NULL DEFAULT 0,
    done       INTEGER NOT NULL DEFAULT 0,
    seq        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX run_key ON run (pipeline, key) WHERE key <> '';
CREATE INDEX run_folded_id ON run (run_id COLLATE NOCASE);
CREATE INDEX run_start ON run (started_at);

-- The truth: append only. Kinds are numbered in rows.py; a value lies here, or in a file named by its digest.
-- The checksum is over all else in the row, with the id of the run in the place of its number.
CREATE TABLE journal (
    run     INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    at      REAL NOT NULL,
    path    TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    body    BLOB,
    value   BLOB,
    digest  BLOB,
    size    INTEGER,
    crc     INTEGER NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
-- At most one end a path: events.ENDS, as numbered in rows.py.
CREATE UNIQUE INDEX journal_end ON journal (run, path) WHERE kind IN (8, 10, 11, 12, 13, 17, 19, 20);

-- Who may append: no owner where it was given up. The epoch only grows.
CREATE TABLE lease (
    run   INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL
) STRICT;

-- What is wanted of a run. What was taken stays, so that asking again under the same id does nothing.
CREATE TABLE inbox (
    id     TEXT PRIMARY KEY,
    run    INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    at     REAL NOT NULL,
    reason TEXT NOT NULL,
    taken  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX inbox_open ON inbox (run) WHERE taken = 0;
