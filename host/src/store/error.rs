//! Why a store could not do it: each error names the place and the remedy.

use crate::id::ExecutionId;
use crate::store::DecodeError;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the lock and does not give it up.
    #[error("{place} is locked by another process; wait for it to end, or stop it: {detail}")]
    Locked {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
    /// The store may not be written.
    #[error("{place} cannot be written; check its permissions and those of its folder: {detail}")]
    ReadOnly {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
    /// There is no room.
    #[error(
        "no room is left on the disk of {place}; free some and try again, nothing was lost: {detail}"
    )]
    Full {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
    /// The file that was opened no longer stands at its path.
    #[error(
        "{place} is no longer the file that was opened ({detail}), and nothing more is kept in it; \
         put it back in its place, or begin anew: what was answered before is in the file that was opened"
    )]
    Gone {
        /// The store.
        place: String,
        /// What became of it.
        detail: String,
    },
    /// Something stored cannot be right.
    #[error("{place} is damaged; keep a copy, and put a backup in its place: {detail}")]
    Corrupt {
        /// The store, and where in it.
        place: String,
        /// What was found.
        detail: String,
    },
    /// Something that all questions need is damaged: an index, a list of pages, the
    /// clock's row. Work on no execution can go on.
    #[error(
        "{place} is damaged where all executions depend on it, and nothing in it can be gone on with; keep a copy. Then put a backup in its \
         place; without one, what can be read can still be listed and exported: {detail}"
    )]
    Malformed {
        /// The store.
        place: String,
        /// What was found.
        detail: String,
    },
    /// What is new could not be written, because it meets something that is damaged. What
    /// is whole can still be read.
    #[error(
        "{place} cannot take what is new; keep a copy, and put a backup in its place: {detail}"
    )]
    Unwritable {
        /// The store.
        place: String,
        /// What is damaged.
        detail: String,
    },
    /// An execution's log is no longer what was written (law 4).
    #[error(
        "the log of {execution} is tampered with at event {sequence}: {message}; it is set aside. Restore {place} from a backup, or mend it, \
         and have it checked anew"
    )]
    Tampered {
        /// The store.
        place: String,
        /// The execution.
        execution: ExecutionId,
        /// The first event that does not hold.
        sequence: u64,
        /// What is wrong with it.
        message: String,
    },
    /// What was to be written of an execution has met others' writes again and again.
    /// Nothing of it was written, and nothing is damaged.
    #[error(
        "what was to be written of {execution} conflicts with what others write to {place}, again and again; nothing of it was written, try it later: {detail}"
    )]
    Contended {
        /// The store.
        place: String,
        /// The execution.
        execution: ExecutionId,
        /// What did not fit at last.
        detail: String,
    },
    /// An execution's log was erased: what it said is gone for good.
    #[error(
        "the log of {execution} in {place} is erased, and what it said is gone; only its plain fields, its chain and an attestation are left"
    )]
    Erased {
        /// The store.
        place: String,
        /// Whose log it was.
        execution: ExecutionId,
    },
    /// An execution's log holds an event that only a newer Refrain knows. It is
    /// not damaged, and nothing of it was changed.
    #[error(
        "event {sequence} of {execution} in {place} is of the kind {kind:?}, which is newer than this program; it is set aside. Use a \
         newer Refrain for it"
    )]
    NewerEvent {
        /// The store.
        place: String,
        /// Whose log it is.
        execution: ExecutionId,
        /// The first such event.
        sequence: u64,
        /// Its kind.
        kind: String,
    },
    /// An execution's log holds something that its guest cannot know, because it came
    /// with a later version of the contract. Nothing is damaged, and nothing of it was
    /// changed.
    #[error(
        "event {sequence} of {execution} in {place} has {what}, which its scheduler component cannot know, because that was built for version {version} of the contract; it is set aside. Hand it to a newer one"
    )]
    NewerThanGuest {
        /// The store.
        place: String,
        /// Whose log it is.
        execution: ExecutionId,
        /// The first such event.
        sequence: u64,
        /// What it has.
        what: String,
        /// The version of the contract that the guest was built for.
        version: &'static str,
    },
    /// An execution has a scheduler component of its own, and this program was built without
    /// the Cargo feature `compile`. Nothing is damaged, and nothing of it was changed.
    #[error(
        "{execution} in {place} has another scheduler component than this program, and this build has no compiler for it; it is set aside. Build the program with the Cargo feature `compile`"
    )]
    NoCompiler {
        /// The store.
        place: String,
        /// The execution.
        execution: ExecutionId,
    },
    /// A newer Refrain wrote it.
    #[error(
        "{place} has schema version {found}, and this program knows versions up to {known}; use a newer Refrain"
    )]
    Newer {
        /// The store.
        place: String,
        /// The schema version found.
        found: i64,
        /// The newest schema version that this program knows.
        known: i64,
    },
    /// A Refrain from before the first release wrote it.
    #[error(
        "{place} has schema version {found}, and this program knows versions from {known} on; its logs are of another format, which cannot \
         be changed into this one. Go on with it with the version of Refrain that wrote it, and begin a new file for this one"
    )]
    Older {
        /// The store.
        place: String,
        /// The schema version found.
        found: i64,
        /// The oldest schema version that this program knows.
        known: i64,
    },
    /// An older version of this program wrote it, and reading does not change it. To open
    /// it for writing brings it up to date.
    #[error(
        "{place} has schema version {found}, older than {known}, and reading does not change it; open it for writing, which brings it up to date"
    )]
    Outdated {
        /// The store.
        place: String,
        /// The schema version found.
        found: i64,
        /// The schema version of this program.
        known: i64,
    },
    /// There is no database, and none is to be created now.
    #[error("there is no database at {place}; check the path, or create it first")]
    Missing {
        /// Where it should be.
        place: String,
    },
    /// The file is there, and nothing was stored in it yet, not even its tables: perhaps
    /// another process is creating it just now.
    #[error(
        "{place} is empty, and nothing was stored in it yet; if another process is creating it just now, try again"
    )]
    Empty {
        /// The store.
        place: String,
    },
    /// The log of changes next to the file (`-wal`) is not the file's own, and it could
    /// not be moved aside.
    #[error(
        "the log of changes (-wal) next to {place} is of another database or another state of it, and {detail}; \
         put a backup in its place"
    )]
    StrayLog {
        /// The store.
        place: String,
        /// Why it could not be moved aside.
        detail: String,
    },
    /// The file is no database of this program.
    #[error("{place} is not a Refrain database: {detail}")]
    Foreign {
        /// The store.
        place: String,
        /// What was found.
        detail: String,
    },
    /// The turn that should have been written contradicts itself. Nothing was written.
    #[error(
        "{place} refused a turn that contradicts itself, which is a fault of the program; please report it: {detail}"
    )]
    Contradiction {
        /// The store.
        place: String,
        /// What does not fit.
        detail: String,
    },
    /// Any other failure.
    #[error("{place} could not be used: {detail}")]
    Io {
        /// The store.
        place: String,
        /// What the storage said.
        detail: String,
    },
}

impl StoreError {
    /// The error of bytes of an execution's log that are no event.
    #[must_use]
    pub fn undecoded(place: String, execution: ExecutionId, error: DecodeError) -> Self {
        match error {
            DecodeError::Newer { sequence, kind } => Self::NewerEvent {
                place,
                execution,
                sequence,
                kind,
            },
            DecodeError::Erased { .. } => Self::Erased { place, execution },
            error => Self::Corrupt {
                place: format!("{place}, {execution}"),
                detail: error.to_string(),
            },
        }
    }

    /// The kind of the error, in a word that does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "store_locked",
            Self::ReadOnly { .. } => "store_read_only",
            Self::Full { .. } => "store_full",
            Self::Gone { .. } => "store_gone",
            Self::Corrupt { .. } => "store_corrupt",
            Self::Malformed { .. } => "store_malformed",
            Self::Unwritable { .. } => "store_unwritable",
            Self::Tampered { .. } => "log_tampered",
            Self::NewerEvent { .. } => "log_newer",
            Self::NewerThanGuest { .. } => "log_newer_than_guest",
            Self::NoCompiler { .. } => "no_compiler",
            Self::Erased { .. } => "log_erased",
            Self::Contended { .. } => "store_contended",
            Self::Newer { .. } => "store_newer",
            Self::Older { .. } => "store_older",
            Self::Outdated { .. } => "store_outdated",
            Self::Missing { .. } => "store_missing",
            Self::Empty { .. } => "store_empty",
            Self::StrayLog { .. } => "store_stray_log",
            Self::Foreign { .. } => "store_foreign",
            Self::Contradiction { .. } => "store_contradiction",
            Self::Io { .. } => "store_failed",
        }
    }

    /// Whether it is about one row or execution, and not about the store as a
    /// whole: the others go on.
    #[must_use]
    pub fn is_of_one(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. }
                | Self::Tampered { .. }
                | Self::NewerEvent { .. }
                | Self::NewerThanGuest { .. }
                | Self::NoCompiler { .. }
                | Self::Erased { .. }
                | Self::Contended { .. }
        )
    }
}

/// Why a turn was not committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The store has another head, another work item or another workflow text than
    /// expected. Nothing was written. A turn without these executions can be written.
    #[error("the turn conflicts with what is stored: {detail}")]
    Conflict {
        /// All executions of the turn that conflict, in their order in it. Empty if it
        /// is the turn as a whole that conflicts: in a workflow's text, say.
        executions: Vec<ExecutionId>,
        /// What does not fit, of the first of them.
        detail: String,
    },
    /// Nothing was written, because the rows of this execution are damaged. A turn
    /// without it can be written.
    #[error("what is stored of {execution} is damaged, and nothing was written: {error}")]
    Damaged {
        /// The execution.
        execution: ExecutionId,
        /// What is damaged.
        error: StoreError,
    },
    /// Nothing was written.
    #[error(transparent)]
    Failed(StoreError),
    /// It cannot be told whether it was written.
    #[error("whether the turn was written cannot be told: {0}")]
    Unknown(StoreError),
}
