//! Files that older programs wrote: reading leaves them as they are, and going on
//! brings them up to date, with all that is in them.
//!
//! The tables stand here as those programs made them, and never change.

use std::fs;

use rusqlite::Connection;

use super::ground::{DATABASE, Ground, is_documented};

const SCHEMA_1: &str = "
    CREATE TABLE executions (
        key              INTEGER PRIMARY KEY,
        id               TEXT NOT NULL UNIQUE,
        workflow_id      TEXT NOT NULL,
        workflow_version TEXT NOT NULL,
        guest_digest     TEXT NOT NULL,
        tenant           TEXT NOT NULL,
        caller_key       TEXT,
        simulated        INTEGER NOT NULL,
        status           TEXT NOT NULL,
        last_sequence    INTEGER NOT NULL,
        last_hash        BLOB NOT NULL,
        started_at       INTEGER NOT NULL,
        last_at          INTEGER NOT NULL,
        next_wake        INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX executions_by_caller_key ON executions (tenant, caller_key) WHERE caller_key IS NOT NULL;
    CREATE INDEX executions_by_start ON executions (started_at, id);
    CREATE INDEX executions_by_status ON executions (status, started_at, id);
    CREATE INDEX executions_by_wake ON executions (simulated, next_wake, id)
        WHERE next_wake IS NOT NULL AND status IN ('running', 'paused', 'stalled');

    CREATE TABLE events (
        execution INTEGER NOT NULL,
        sequence  INTEGER NOT NULL,
        bytes     BLOB NOT NULL,
        hash      BLOB NOT NULL,
        PRIMARY KEY (execution, sequence)
    ) STRICT;

    CREATE TABLE items (
        execution     INTEGER NOT NULL,
        node_id       TEXT NOT NULL,
        attempt       INTEGER NOT NULL,
        max_attempts  INTEGER NOT NULL,
        queue_type    TEXT NOT NULL,
        tenant        TEXT NOT NULL,
        not_before    INTEGER NOT NULL,
        payload       TEXT NOT NULL,
        ordered       INTEGER NOT NULL,
        enqueued_at   INTEGER NOT NULL,
        claimable_at  INTEGER NOT NULL,
        simulated     INTEGER NOT NULL,
        held          INTEGER NOT NULL,
        state         TEXT NOT NULL, -- waiting, leased, dead
        worker_id     TEXT,
        fence         INTEGER,
        expires_at    INTEGER,
        error         TEXT,
        dead_since    INTEGER,
        PRIMARY KEY (execution, node_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX items_claimable ON items (simulated, queue_type, claimable_at, ordered)
        WHERE state = 'waiting' AND held = 0;
    CREATE INDEX items_leased ON items (simulated, expires_at, ordered) WHERE state = 'leased';

    CREATE TABLE clocks (
        simulated INTEGER PRIMARY KEY,
        last_at   INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE workflows (
        workflow_id TEXT NOT NULL,
        version     TEXT NOT NULL,
        text        TEXT NOT NULL,
        digest      TEXT NOT NULL,
        PRIMARY KEY (workflow_id, version)
    ) STRICT;

    CREATE TABLE components (
        digest TEXT PRIMARY KEY,
        bytes  BLOB NOT NULL
    ) STRICT;

    CREATE TABLE snapshots (
        execution    INTEGER PRIMARY KEY REFERENCES executions (key),
        guest_digest TEXT NOT NULL,
        sequence     INTEGER NOT NULL,
        head         TEXT NOT NULL,
        state        BLOB NOT NULL
    ) STRICT;

    CREATE VIEW log AS
        SELECT executions.id AS execution, sequence, length(bytes) AS size, lower(hex(hash)) AS hash
        FROM events JOIN executions ON executions.key = events.execution;
";

const SCHEMA_2: &str = "
    ALTER TABLE clocks ADD COLUMN machine TEXT;
    ALTER TABLE clocks ADD COLUMN since_boot_ns INTEGER;
    ALTER TABLE clocks ADD COLUMN database_id BLOB;
    ALTER TABLE clocks ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;
    INSERT INTO clocks (simulated, last_at, database_id) VALUES (0, 0, randomblob(16))
        ON CONFLICT DO UPDATE SET database_id = excluded.database_id;
";

/// What an older program would have written of it: all but what it did not know.
const ROWS: &str = "
    INSERT INTO executions SELECT key, id, workflow_id, workflow_version, guest_digest, tenant, caller_key,
        simulated, status, last_sequence, last_hash, started_at, last_at, next_wake FROM new.executions;
    INSERT INTO events SELECT execution, sequence, bytes, hash FROM new.events ORDER BY rowid;
    INSERT INTO items SELECT execution, node_id, attempt, max_attempts, queue_type, tenant, not_before, payload,
        ordered, enqueued_at, claimable_at, simulated, held, state, worker_id, fence, expires_at, error, dead_since
        FROM new.items;
    INSERT OR REPLACE INTO clocks (simulated, last_at) SELECT simulated, last_at FROM new.clocks;
    INSERT INTO workflows SELECT * FROM new.workflows;
    INSERT INTO components SELECT * FROM new.components;
    INSERT INTO snapshots SELECT key, guest_digest, last_sequence, lower(hex(last_hash)), x'00' FROM executions;
";

/// The ground's database, as a program of this schema would have left it.
fn grown_old(ground: &Ground, version: u32) {
    let old = ground.file("old.db");
    // Another round begins anew.
    let _ = fs::remove_file(&old);
    let file = Connection::open(&old).expect("a database");
    let attach = "ATTACH ?1 AS new";
    let new = ground.file(DATABASE);
    file.execute(attach, [new.to_str().expect("a name")])
        .expect("it is attached");
    file.execute_batch(SCHEMA_1)
        .expect("the tables of schema 1");
    if version == 2 {
        file.execute_batch(SCHEMA_2)
            .expect("and what schema 2 added");
    }
    file.execute_batch(ROWS).expect("the rows are copied");
    file.execute_batch(&format!(
        "PRAGMA application_id = {}; PRAGMA user_version = {version};",
        0x5246_524e
    ))
    .expect("it is marked");
    drop(file);
    fs::rename(old, new).expect("it takes the place");
}

fn version(ground: &Ground) -> u32 {
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let version = file.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.expect("a version")
}

/// All that makes the tables, indexes and views, by their names.
fn schema(ground: &Ground) -> Vec<(String, Vec<String>)> {
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let names = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut select = file.prepare(names).expect("a statement");
    let names = select.query_map([], |row| row.get(0)).expect("names");
    names
        .map(|name| {
            let name: String = name.expect("a name");
            let mut columns = file
                .prepare(
                    "SELECT name || ' ' || type || ' ' || \"notnull\" FROM pragma_table_xinfo(?1)",
                )
                .expect("a statement");
            let columns = columns.query_map([&name], |row| row.get(0));
            let columns: rusqlite::Result<_> = columns.expect("columns").collect();
            (name, columns.expect("columns"))
        })
        .collect()
}

#[test]
fn files_of_older_programs_are_brought_up_to_date_with_all_that_is_in_them() {
    let ground = Ground::new();
    let (newest, tables) = (version(&ground), schema(&ground));
    for old in [1, 2] {
        ground.reset();
        grown_old(&ground, old);
        let before = fs::read(ground.file(DATABASE)).expect("a file");
        // Reading changes nothing, and says who does.
        for words in [
            &["list"][..],
            &["audit", "--all"],
            &["export", ground.ended()],
        ] {
            ground.types(words).is_refused("older than");
        }
        assert!(
            fs::read(ground.file(DATABASE)).expect("a file") == before,
            "schema {old}"
        );
        let resumed = ground.types(&["resume"]);
        assert_eq!(resumed.code, Some(0), "schema {old}: {resumed:?}");
        assert_eq!(version(&ground), newest, "schema {old}");
        assert_eq!(schema(&ground), tables, "schema {old}");
        assert_eq!(ground.audited_clean("an older schema"), 3);
        // Not only by `resume`: whoever writes first does it.
        ground.reset();
        grown_old(&ground, old);
        let run = ground.types(&["run", "steps.json"]);
        assert_eq!(run.code, Some(0), "schema {old}: {run:?}");
        ground.goes_on("an older schema");
    }
    is_documented("older than");
}
