//! Audits in which nothing was found yet, or nothing can be.

use super::divergence::Divergence;
use super::integrity::{self, Finding};
use super::kept_events::Unreadable;
use super::source::Recording;
use super::verdict::{Audit, Verdict, WhatIf};
use crate::id::ExecutionId;
use crate::model::Digest;

/// The audit of a log in which nothing was found yet.
pub(super) fn blank(recording: &Recording) -> Audit {
    let events = recording.plain().count() as u64;
    Audit {
        head: recording.plain().last().map(|(_, head)| Digest(head.hash)),
        erased: recording.claimed.attestation().cloned(),
        ..empty(Some(recording.execution_id.to_string()), events)
    }
}

/// The audit of an execution that is no longer there.
pub(super) fn gone(id: ExecutionId, finding: Finding) -> Audit {
    let mut audit = empty(Some(id.to_string()), 0);
    audit.conclude(finding, WhatIf::Nothing);
    audit
}

/// The audit of a log that cannot be read.
pub(super) fn unreadable(unreadable: Unreadable) -> Audit {
    let id = unreadable.execution_id.map(|id| id.to_string());
    let mut audit = empty(id, unreadable.sequence.saturating_sub(1));
    let divergence = Divergence::plain(unreadable.sequence, unreadable.message);
    let verdict = integrity::verdict_of(unreadable.cause);
    audit.conclude((verdict, divergence.into()), WhatIf::Nothing);
    audit
}

fn empty(execution_id: Option<String>, events: u64) -> Audit {
    Audit {
        execution_id,
        verdict: Verdict::Clean,
        events,
        head: None,
        decisions: 0,
        owed_a_step: false,
        forked_from: None,
        owed_children: Vec::new(),
        child_of: None,
        missing: Vec::new(),
        erased: None,
        signature: None,
        anchor: None,
        divergence: None,
    }
}
