//! The tables, and the steps that lead to them from any older version.
//!
//! The log is the truth. All other tables let questions be answered without reading
//! logs, and are written only together with the log. They hold texts and names rather
//! than codes, because people look into this file with other programs.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as ours: "RFRN" in ASCII.
const REAL: i64 = 0x5246_524e;

/// Marks it as one of simulated executions: "RFRS".
const SIMULATED: i64 = 0x5246_5253;

/// The steps from each schema version to the next, from [`OLDEST`] on. A step that
/// has shipped never changes; a new version is a further step.
const STEPS: &[&str] = &[STEP_11, STEP_12, STEP_13];

/// The oldest version that this program brings up to date. Those before it had
/// logs of another format, which cannot become ones of this: they are chained.
pub(super) const OLDEST: i64 = 11;

/// The schema version of this program.
pub(super) const VERSION: i64 = OLDEST - 1 + STEPS.len() as i64;

const STEP_11: &str = "
    CREATE TABLE executions (
        key              INTEGER PRIMARY KEY,
        id               TEXT NOT NULL UNIQUE,
        workflow_id      TEXT NOT NULL,
        workflow_version TEXT NOT NULL,
        guest_digest     TEXT NOT NULL,
        tenant           TEXT NOT NULL,
        caller_key       TEXT,
        status           TEXT NOT NULL,
        last_sequence    INTEGER NOT NULL,
        last_hash        BLOB NOT NULL,
        started_at       INTEGER NOT NULL,
        last_at          INTEGER NOT NULL,
        next_wake        INTEGER,
        -- Set aside, because its log was found to be tampered with: the first event
        -- that does not hold, and what is wrong with it.
        tampered_sequence INTEGER,
        tampered_message  TEXT,
        -- Its log was erased: the attestation, in JSON.
        erased            TEXT
    ) STRICT;
    CREATE INDEX executions_by_start ON executions (started_at, id);
    CREATE INDEX executions_by_status ON executions (status, started_at, id);
    CREATE INDEX executions_by_wake ON executions (next_wake, id)
        WHERE next_wake IS NOT NULL AND status IN ('running', 'paused', 'stalled') AND tampered_sequence IS NULL;
    CREATE INDEX executions_set_aside ON executions (id) WHERE tampered_sequence IS NOT NULL;

    -- One event a row, by its canonical bytes: those that are hashed, packed (see
    -- log/packed.rs; texts in them stay as they are). The erasable fields, which
    -- are hashed with the salt, are a column of their own; of an erased event it is
    -- empty, and `salt` is the commitment. Rows stand in the order in which
    -- they came, so that a turn of many executions fills few pages, and are found
    -- by an index of small entries: in one tree with the rows (WITHOUT ROWID), each
    -- execution has pages of its own, each search would read the large rows that
    -- it passes, and a damaged one would stand in the way of its neighbours.
    CREATE TABLE events (
        execution INTEGER NOT NULL,
        sequence  INTEGER NOT NULL,
        plain     BLOB NOT NULL,
        erasable  BLOB NOT NULL,
        salt      BLOB NOT NULL,
        hash      BLOB NOT NULL,
        PRIMARY KEY (execution, sequence)
    ) STRICT;

    -- The labels of executions, from their event 1, and no longer than that has them.
    CREATE TABLE labels (
        tenant    TEXT NOT NULL,
        name      TEXT NOT NULL,
        value     TEXT NOT NULL,
        execution INTEGER NOT NULL,
        PRIMARY KEY (tenant, name, value, execution)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX labels_by_execution ON labels (execution);

    -- Unsettled work items and dead letters, few and gone soon: in one tree, so
    -- that a turn changes few pages. `held` is 1 unless the execution runs: so
    -- that claims never look at what may not be claimed. `ordered` grows from
    -- order to order.
    CREATE TABLE items (
        execution     INTEGER NOT NULL,
        node_id       TEXT NOT NULL,
        attempt       INTEGER NOT NULL,
        max_attempts  INTEGER NOT NULL,
        queue         TEXT NOT NULL,
        tenant        TEXT NOT NULL,
        priority      INTEGER NOT NULL,
        not_before    INTEGER NOT NULL,
        payload       TEXT NOT NULL,
        ordered       INTEGER NOT NULL,
        enqueued_at   INTEGER NOT NULL,
        claimable_at  INTEGER NOT NULL,
        held          INTEGER NOT NULL,
        state         TEXT NOT NULL, -- waiting, leased, dead
        worker_id     TEXT,
        fence         INTEGER,
        expires_at    INTEGER,
        request_id    TEXT, -- of the claim that holds it
        error         TEXT,
        dead_since    INTEGER,
        releases      INTEGER NOT NULL DEFAULT 0, -- how often it was given back
        PRIMARY KEY (execution, node_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX items_claimable ON items (tenant, queue, claimable_at, ordered)
        WHERE state = 'waiting' AND held = 0;
    CREATE INDEX items_leased ON items (expires_at, ordered) WHERE state = 'leased';
    CREATE INDEX items_dead ON items (dead_since, ordered) WHERE state = 'dead';
    CREATE INDEX items_by_request ON items (worker_id, request_id) WHERE state = 'leased' AND request_id IS NOT NULL;

    -- What programs have written, some of the newest; no part of any log. `place` counts
    -- all that was ever kept of the execution, and `start` what the attempt had written
    -- to the stream before.
    CREATE TABLE outputs (
        execution INTEGER NOT NULL,
        place     INTEGER NOT NULL,
        node_id   TEXT NOT NULL,
        attempt   INTEGER NOT NULL,
        stream    TEXT NOT NULL, -- stdout, stderr
        start     INTEGER NOT NULL,
        bytes     BLOB NOT NULL,
        PRIMARY KEY (execution, place)
    ) STRICT;

    -- The greatest time of an event, of the one shard that a file is; on which
    -- machine, and how long after its start, the greatest real time was, so that all
    -- processes of one machine tell the same time from it. And, because every turn
    -- writes that row, which database it is of and how many turns it has had, so that
    -- a log of changes is known for its own (stale_log.rs).
    CREATE TABLE clocks (
        shard         INTEGER PRIMARY KEY,
        last_at       INTEGER NOT NULL,
        machine       TEXT,
        since_boot_ns INTEGER,
        database_id   BLOB,
        turns         INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO clocks (shard, last_at, database_id) VALUES (0, 0, randomblob(16));

    CREATE TABLE workflows (
        tenant      TEXT NOT NULL,
        workflow_id TEXT NOT NULL,
        version     TEXT NOT NULL,
        text        TEXT NOT NULL,
        digest      TEXT NOT NULL,
        PRIMARY KEY (tenant, workflow_id, version)
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
        state        BLOB NOT NULL,
        digest       BLOB NOT NULL -- of all of it: it is held against that
    ) STRICT;

    -- For people: what is where. What the events say, an export of the log tells.
    CREATE VIEW log AS
        SELECT executions.id AS execution, sequence, length(plain) + length(erasable) AS size, lower(hex(hash)) AS hash
        FROM events JOIN executions ON executions.key = events.execution;
";

/// Priorities: of executions, and as what comes first among the items that wait. All
/// executions from before had the usual one.
const STEP_12: &str = "
    ALTER TABLE executions ADD COLUMN priority INTEGER NOT NULL DEFAULT 5;
    DROP INDEX items_claimable;
    CREATE INDEX items_claimable ON items (tenant, queue, priority DESC, claimable_at, ordered)
        WHERE state = 'waiting' AND held = 0;
";

/// Children, each by its id, with what is owed between it and its parent; for the latter
/// a request keeps the order.
const STEP_13: &str = "
    CREATE TABLE children (
        child       TEXT PRIMARY KEY,
        parent      TEXT NOT NULL,
        root        TEXT NOT NULL,
        node_id     TEXT NOT NULL,
        attempt     INTEGER NOT NULL,
        iteration   INTEGER NOT NULL,
        sequence    INTEGER NOT NULL, -- of the parent's event that asks for it
        state       TEXT NOT NULL, -- requested, awaited, ended, cancelled, settled
        workflow_id TEXT,
        version     TEXT,
        input       TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX children_by_parent ON children (parent, sequence);
    CREATE INDEX children_by_root ON children (root);
    CREATE INDEX children_owed ON children (parent, sequence)
        WHERE state IN ('requested', 'ended', 'cancelled');
";

/// The description that a file gives of itself.
pub(super) struct Identity {
    /// The program that it is of, and the kind of executions.
    pub(super) application_id: i64,
    pub(super) version: i64,
    /// The number of tables and indexes.
    pub(super) objects: i64,
}

impl Identity {
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.application_id, REAL | SIMULATED)
    }

    /// Whether it keeps simulated executions.
    pub(super) fn is_simulated(&self) -> bool {
        self.application_id == SIMULATED
    }
}

/// Read in one statement, and so from one state: another process may be making
/// the file its first database just now.
pub(super) fn identity(connection: &Connection) -> rusqlite::Result<Identity> {
    const SQL: &str = "
        SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
        FROM pragma_application_id, pragma_user_version";
    connection.query_row(SQL, [], |row| {
        Ok(Identity {
            application_id: row.get(0)?,
            version: row.get(1)?,
            objects: row.get(2)?,
        })
    })
}

/// Brings the file to this program's schema version. A new one becomes one of simulated
/// executions if it is to be `simulated`. Another process may do the same at the same
/// time: the version is looked at again under the lock.
pub(super) fn migrate(connection: &mut Connection, simulated: bool) -> rusqlite::Result<()> {
    if identity(connection)?.version == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Identity {
        application_id,
        version: from,
        ..
    } = identity(&transaction)?;
    // A file that is new has version 0.
    let done = (from + 1 - OLDEST).max(0);
    for step in STEPS
        .iter()
        .skip(usize::try_from(done).unwrap_or(usize::MAX))
    {
        transaction.execute_batch(step)?;
    }
    if from < VERSION {
        if application_id == 0 {
            let kind = if simulated { SIMULATED } else { REAL };
            transaction.pragma_update(None, "application_id", kind)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}
