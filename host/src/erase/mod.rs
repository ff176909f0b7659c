//! Erasing what executions that have ended have said, for good (law 4).
//!
//! [`erase`] audits a log first. Then each of its events loses its salt and all fields
//! that can be erased, and keeps the commitment to them, so that the chain verifies as
//! before; and the execution loses its key, its dead letters and its snapshot. What came
//! of the audit, and who erased the log, is left as an
//! [`Attestation`] in the execution's record and in exports.
//! The [`Eraser`] may sign it; unsigned it proves nothing.
//!
//! What is erased can be found nowhere in the store, nor in its files. It is still in
//! what was copied elsewhere before: in backups, in exports, and in the executions
//! that [`copies`] names. The text of the workflow stays: other executions share it.
//!
//! An engine keeps nothing in memory of executions that have ended, so that none goes on
//! serving what another process has erased. A caller that asks for the erased text
//! gets [`StoreError::Erased`].
//!
//! ```
//! use refrain::erase::{Erased, Eraser, erase};
//! use refrain::guest::{CallLimits, Library, Sandbox};
//! use refrain::store::{Reader, SqliteStore};
//! use refrain::{Engine, Workflow};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("refrain.db");
//! # let engine = Engine::builder().store(SqliteStore::open(&path)?).start().await?;
//! # engine.register(Workflow::from_json(include_str!("../../examples/claims.json"))?).await?;
//! # engine.work("tool", |_: refrain::WorkItem| async move { Ok(serde_json::json!({ "score": 7 })) });
//! # let execution = engine.start("claims", "1.0.0", serde_json::json!({ "name": "Ada" })).await?;
//! # execution.finished().await?;
//! # let id = execution.id();
//! let mut store = SqliteStore::open(&path)?;
//! let mut library = Library::new(Sandbox::new(CallLimits::default())?);
//! let ada = Eraser { by: "ada", at: 1_767_225_600_000, signer: None };
//! for (_, erased) in erase(&mut store, &mut library, &[id], &ada) {
//!     assert!(matches!(erased?, Erased::Now(_)));
//! }
//! assert!(store.events(id, 1, 10).is_err());
//! # engine.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod copies;

pub use copies::{Copied, copies};

use std::fmt;

use crate::guest::Library;
use crate::id::ExecutionId;
use crate::limits::TEXT_BYTES_MAX;
use crate::log::{Attestation, AttestedVerdict, Head, Timestamp};
use crate::model::Status;
use crate::names;
use crate::replay::{Audit, AuditError, Auditor, Verdict};
use crate::signing::{Signer, SignerError};
use crate::store::{ChildState, CommitError, Erasure, Store, StoreError, Turn, ended};

/// Who erases logs.
#[derive(Clone, Copy)]
pub struct Eraser<'a> {
    /// Who it is, for the attestation.
    pub by: &'a str,
    /// When it is, in milliseconds since the Unix epoch, for the attestation.
    pub at: Timestamp,
    /// Signs what is attested. `None` if nobody does: then it proves nothing.
    pub signer: Option<&'a dyn Signer>,
}

impl fmt::Debug for Eraser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eraser")
            .field("by", &self.by)
            .field("at", &self.at)
            .field("signs", &self.signer.is_some())
            .finish()
    }
}

/// A log is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// It was erased just now.
    Now(Attestation),
    /// It had been erased before.
    Before(Attestation),
}

/// Why a log was not erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    Unknown(ExecutionId),
    /// It has not ended.
    #[error("{execution} is {}, and only what has ended is erased; cancel it, or wait for its end", names::status(*.status))]
    NotEnded {
        /// The execution.
        execution: ExecutionId,
        /// Its status.
        status: Status,
    },
    /// Its chain is not whole, or it cannot be read. Once it was erased, nobody could
    /// find that out.
    #[error(
        "the audit of {execution} says {}: {message}; nothing of it is erased, because nobody could find that out afterwards. Restore it from a backup first",
        .verdict.word()
    )]
    Unsound {
        /// The execution.
        execution: ExecutionId,
        /// What the audit says.
        verdict: Verdict,
        /// What it has found.
        message: String,
    },
    /// The name of who erases it does not do.
    #[error("who erases a log is named by 1 to {TEXT_BYTES_MAX} bytes")]
    By,
    /// What was to be attested could not be signed.
    #[error("what is attested of {execution} could not be signed, and nothing of it is erased")]
    Unsigned {
        /// The execution.
        execution: ExecutionId,
        /// Why not.
        #[source]
        source: SignerError,
    },
    /// It has ended, and its parent was not told of that yet: it could not be told any more.
    #[error(
        "{execution} has ended, and {parent}, which waits for it, has not been told of that; have workers go on with {parent}, and erase it then"
    )]
    NotTold {
        /// The execution.
        execution: ExecutionId,
        /// The execution whose child it is.
        parent: ExecutionId,
    },
    /// The audit could not be done.
    #[error("{execution} could not be audited, and nothing of it is erased")]
    Audit {
        /// The execution.
        execution: ExecutionId,
        /// Why not.
        #[source]
        source: AuditError,
    },
    /// It was not written.
    #[error("{execution} is not erased: {reason}")]
    NotWritten {
        /// The execution.
        execution: ExecutionId,
        /// Why not.
        reason: CommitError,
    },
    /// It is erased, and traces may be left in the store's files.
    #[error(
        "{execution} is erased, and nobody can ask for what it said; but traces of that may be left in the store's files. Erase it once more"
    )]
    Traces {
        /// The execution.
        execution: ExecutionId,
        /// Why they could not be removed.
        #[source]
        source: StoreError,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EraseError {
    /// What kind of error it is, in a word that does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown_execution",
            Self::NotEnded { .. } => "not_ended",
            Self::NotTold { .. } => "parent_not_told",
            Self::Unsound { .. } => "unsound_log",
            Self::By => "invalid_by",
            Self::Unsigned { .. } => "not_signed",
            Self::Audit { .. } => "not_audited",
            Self::NotWritten { .. } => "not_erased",
            Self::Traces { .. } => "traces_left",
            Self::Store(error) => error.code(),
        }
    }
}

/// Erases the logs of these executions. One that cannot be erased does not keep the
/// others from it. The library gets the guests that the logs name from the store.
///
/// A log that was erased before is as it was, and what is attested of it is signed or not
/// as it was: nobody can audit it any more. All the same what may be left of it in the
/// store's files is removed: a process may have died while it was doing that.
///
/// # Errors
/// Per execution: [`EraseError`] says why it was not erased, or that it was, and traces
/// of it are left.
pub fn erase(
    store: &mut dyn Store,
    library: &mut Library,
    executions: &[ExecutionId],
    eraser: &Eraser<'_>,
) -> Vec<(ExecutionId, Result<Erased, EraseError>)> {
    let each = executions
        .iter()
        .map(|id| (*id, erase_one(store, library, *id, eraser)));
    let mut each: Vec<_> = each.collect();
    if each.iter().all(|(_, erased)| erased.is_err()) {
        return each;
    }
    // Once for all of them: it costs as much as all that is stored.
    if let Err(error) = store.purge() {
        let (place, detail) = (store.place(), error.to_string());
        let mut error = Some(error);
        for (execution, erased) in each.iter_mut().filter(|(_, erased)| erased.is_ok()) {
            let source = error.take().unwrap_or_else(|| StoreError::Io {
                place: place.clone(),
                detail: detail.clone(),
            });
            *erased = Err(EraseError::Traces {
                execution: *execution,
                source,
            });
        }
    }
    each
}

fn erase_one(
    store: &mut dyn Store,
    library: &mut Library,
    id: ExecutionId,
    eraser: &Eraser<'_>,
) -> Result<Erased, EraseError> {
    let by = eraser.by;
    if by.is_empty() || by.len() > TEXT_BYTES_MAX {
        return Err(EraseError::By);
    }
    let record = store.execution(id)?.ok_or(EraseError::Unknown(id))?;
    if let Some(attestation) = record.erased {
        return Ok(Erased::Before(*attestation));
    }
    if !ended(record.status) {
        return Err(EraseError::NotEnded {
            execution: id,
            status: record.status,
        });
    }
    if let Some(child) = store.child(id)?
        && child.state == ChildState::Ended
    {
        return Err(EraseError::NotTold {
            execution: id,
            parent: child.parent,
        });
    }
    let audit = Auditor::new(library).audit_stored(store, id);
    let audit = audit
        .map_err(|source| EraseError::Audit {
            execution: id,
            source,
        })?
        .ok_or(EraseError::Unknown(id))?;
    if let Some(attestation) = audit.erased {
        return Ok(Erased::Before(attestation)); // Just now, by somebody else.
    }
    let attestation = attest(id, &record.guest_digest, record.head, &audit, eraser)?;
    let Err(reason) = write(store, id, attestation.clone()) else {
        return Ok(Erased::Now(attestation));
    };
    // Perhaps somebody else has erased it, or this very turn has, and its answer was
    // lost.
    let may_be = matches!(
        reason,
        CommitError::Conflict { .. } | CommitError::Unknown(_)
    );
    if may_be && let Some(attestation) = erased_now(store, id)? {
        return Ok(Erased::Now(attestation));
    }
    Err(EraseError::NotWritten {
        execution: id,
        reason,
    })
}

/// What is attested of a log of this execution that ends with this guest and head, and was
/// audited.
pub(crate) fn attest(
    id: ExecutionId,
    guest_digest: &str,
    head: Head,
    audit: &Audit,
    eraser: &Eraser<'_>,
) -> Result<Attestation, EraseError> {
    let unsound = |verdict| {
        let found = audit.divergence.as_ref();
        let message = found.map_or_else(String::new, |it| it.message.clone());
        EraseError::Unsound {
            execution: id,
            verdict,
            message,
        }
    };
    let verdict = match audit.verdict {
        Verdict::Clean => AttestedVerdict::Clean,
        Verdict::Divergent => AttestedVerdict::Divergent,
        Verdict::Illegal => AttestedVerdict::Illegal,
        verdict @ (Verdict::Tampered | Verdict::Unreadable | Verdict::Newer | Verdict::Erased) => {
            return Err(unsound(verdict));
        }
    };
    let guest_digest = guest_digest.parse();
    let attestation = Attestation {
        at: eraser.at,
        verdict,
        // What is said of it was compared with the log.
        guest_digest: guest_digest.map_err(|_| unsound(audit.verdict))?,
        head,
        by: eraser.by.to_owned(),
        signature: None,
    };
    let Some(signer) = eraser.signer else {
        return Ok(attestation);
    };
    let signed = attestation.sign(id, signer);
    signed.map_err(|source| EraseError::Unsigned {
        execution: id,
        source,
    })
}

fn write(
    store: &mut dyn Store,
    execution: ExecutionId,
    attestation: Attestation,
) -> Result<(), CommitError> {
    store.begin().map_err(CommitError::Failed)?;
    store.commit(&Turn {
        erasures: vec![Erasure {
            execution,
            attestation,
        }],
        ..Turn::default()
    })
}

/// The attestation that stands in the store.
fn erased_now(store: &mut dyn Store, id: ExecutionId) -> Result<Option<Attestation>, StoreError> {
    store.reopen()?;
    let record = store.execution(id)?;
    Ok(record.and_then(|record| record.erased).map(|it| *it))
}
