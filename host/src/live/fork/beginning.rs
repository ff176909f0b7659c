//! The first events of a fork's log: those of its origin, chained anew on an event 1 of
//! its own.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::log::{ChainedEvent, Head, Salt};
use crate::model::{Digest, Event, EventKind, ForkOrigin, WorkflowStarted};
use crate::store::StoredEvent;

/// What a fork's event 1 says otherwise than its origin's.
pub(in crate::live) struct Changed {
    pub(in crate::live) id: ExecutionId,
    /// The salt of event 1. Its texts are not its origin's: anyone who has the fork could
    /// else try, after the origin was erased, what that was started with.
    pub(in crate::live) salt: Salt,
    pub(in crate::live) input: Option<String>,
    /// The workflow's id, version and digest.
    pub(in crate::live) workflow: Option<(String, String, Digest)>,
    pub(in crate::live) guest: Option<Digest>,
}

/// Chains the events that a fork has in common with its origin, and are not none. From
/// event 2 on the salts stay, so that the commitments of both logs agree (law 11).
pub(super) fn chained(
    origin: ExecutionId,
    common: &[StoredEvent],
    changed: Changed,
) -> Result<Vec<ChainedEvent>, EngineError> {
    let refused = |reason: &str| EngineError::NotForked {
        execution: origin,
        reason: reason.to_owned(),
    };
    let (Some(first), Some(last)) = (common.first(), common.last()) else {
        return Err(refused("it has no events"));
    };
    let EventKind::WorkflowStarted(started) = &first.event.kind else {
        return Err(refused("its first event starts nothing"));
    };
    let forked_from = ForkOrigin {
        execution_id: origin.to_string(),
        sequence: last.event.sequence,
        head: Digest(last.hash),
    };
    let salt = changed.salt;
    let first = Event {
        kind: EventKind::WorkflowStarted(Box::new(event_1(started, changed, forked_from))),
        ..first.event.clone()
    };
    let mut head = Head::default();
    let mut follow = |event: Event, salt: Salt| {
        let chained = ChainedEvent::new(&head, event, salt);
        head = chained.head();
        chained
    };
    let mut chained = Vec::with_capacity(common.len());
    chained.push(follow(first, salt));
    let rest = common[1..].iter();
    chained.extend(rest.map(|stored| follow(stored.event.clone(), stored.salt)));
    Ok(chained)
}

/// A key starts one execution, and a parent waits for one: neither is the fork.
fn event_1(started: &WorkflowStarted, changed: Changed, origin: ForkOrigin) -> WorkflowStarted {
    let mut own = WorkflowStarted {
        execution_id: changed.id.to_string(),
        forked_from: Some(origin),
        key: None,
        parent: None,
        ..started.clone()
    };
    if let Some(input) = changed.input {
        own.initial_input = input;
    }
    if let Some((id, version, digest)) = changed.workflow {
        own.workflow_id = id;
        own.workflow_version = version;
        own.workflow_digest = digest;
    }
    if let Some(guest) = changed.guest {
        own.guest_digest = guest;
    }
    own
}
