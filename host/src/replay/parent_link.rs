//! Law 11: a child's event 1 names the event in which its parent asked for it, and its
//! parent's log names the child, its workflow, and the head at which it ended.

use super::divergence::Divergence;
use super::integrity::{self, Finding};
use super::source::{Reading, Recording};
use super::verdict::{Link, LinkState, Verdict};
use crate::id::ExecutionId;
use crate::log::Head;
use crate::model::{ChildEnded, EventKind, ParentOrigin, Status, WorkflowStarted, node_of_run};

/// The parent that the log names. `None` if it is of no child.
pub(super) fn named(recording: &Recording) -> Option<&ParentOrigin> {
    started(recording)?.parent.as_ref()
}

fn started(recording: &Recording) -> Option<&WorkflowStarted> {
    match recording.plain().next().map(|(event, _)| &event.kind) {
        Some(EventKind::WorkflowStarted(started)) => Some(started),
        _ => None,
    }
}

/// Compares a child, which is whole in itself, with the log of its parent.
pub(super) fn check(
    child: &Recording,
    named: &ParentOrigin,
    parent: Option<&Reading>,
) -> (Link, Result<(), Finding>) {
    let link = |link| Link {
        execution_id: named.execution_id.clone(),
        sequence: named.sequence,
        link,
    };
    let whole = |parent: &&Recording| integrity::check(parent).is_ok();
    let parent = match parent {
        None => return (link(LinkState::OriginMissing), Ok(())),
        Some(Ok(parent)) if whole(&parent) => parent,
        Some(_) => return (link(LinkState::OriginUnsound), Ok(())),
    };
    match compare(child, named, parent) {
        Ok(()) => (link(LinkState::Linked), Ok(())),
        Err(broken) => (link(LinkState::Broken), Err((Verdict::Tampered, broken))),
    }
}

fn compare(
    child: &Recording,
    named: &ParentOrigin,
    parent: &Recording,
) -> Result<(), Box<Divergence>> {
    let broken = |sequence, message: String| Err(Divergence::plain(sequence, message).into());
    let (Some(own), Some(of_parent)) = (started(child), started(parent)) else {
        return Ok(()); // Refused by the integrity check before.
    };
    let id = child.execution_id;
    let place = (&*named.node_id, named.attempt, named.iteration);
    let is_derived = ExecutionId::of_child(parent.execution_id, place.0, place.1, place.2) == id;
    if !is_derived {
        return broken(
            1,
            format!(
                "event 1 names the node {:?} of {}, and the id of its child is another",
                named.node_id, named.execution_id
            ),
        );
    }
    let depth = of_parent.parent.as_ref().map_or(0, |it| it.depth) + 1;
    let root = of_parent
        .parent
        .as_ref()
        .map_or(&named.execution_id, |it| &it.root);
    let is_placed = named.depth == depth && named.root == *root;
    let is_same = own.tenant == of_parent.tenant
        && own.simulated == of_parent.simulated
        && own.limits == of_parent.limits;
    if !is_placed || !is_same {
        return broken(
            1,
            "event 1 is not what a child of that execution begins with: its root, its depth, its tenant, its limits or its kind of time is another".to_owned(),
        );
    }
    let in_place = format!("{}/{}", of_parent.workflow_id, node_of_run(&named.node_id));
    let is_asked = parent.plain().any(|(event, _)| match &event.kind {
        EventKind::ChildRequested(it) => {
            let name = it.workflow.as_ref();
            let is_workflow = name.map_or(
                (&*own.workflow_id, &*own.workflow_version)
                    == (&*in_place, &*of_parent.workflow_version),
                |name| {
                    (&name.workflow_id, &name.version) == (&own.workflow_id, &own.workflow_version)
                },
            );
            event.sequence == named.sequence
                && (&*it.node_id, it.attempt, it.iteration) == place
                && is_workflow
        }
        _ => false,
    });
    if !is_asked {
        return broken(
            1,
            format!(
                "event {} of {} does not ask for this child",
                named.sequence, named.execution_id
            ),
        );
    }
    let heads = || child.plain().map(|(_, head)| head);
    for (event, _) in parent
        .plain()
        .filter(|(event, _)| event.sequence > named.sequence)
    {
        match &event.kind {
            EventKind::ChildStarted(it)
                if it.child_id == id.to_string() && it.workflow_digest != own.workflow_digest =>
            {
                return broken(
                    1,
                    format!(
                        "event {} of {} says that the child is of another workflow text",
                        event.sequence, named.execution_id
                    ),
                );
            }
            EventKind::ChildEnded(it) if it.child_id == id.to_string() => {
                let is_head = |head: Head| (head.sequence, head.hash) == (it.sequence, it.head.0);
                let is_last = heads().next_back().is_some_and(is_head);
                if !is_last {
                    return broken(
                        it.sequence,
                        format!(
                            "event {} of {} names another last event of this child",
                            event.sequence, named.execution_id
                        ),
                    );
                }
                let are_readable = !parent.is_erased() && !child.is_erased();
                if are_readable && !is_end(child, it) {
                    return broken(
                        it.sequence,
                        format!(
                            "event {} of {} tells another end of this child",
                            event.sequence, named.execution_id
                        ),
                    );
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the child's last event says what its parent was told.
fn is_end(child: &Recording, told: &ChildEnded) -> bool {
    let last = child.plain().last().map(|(event, _)| &event.kind);
    let (status, output) = match last {
        Some(EventKind::WorkflowCompleted(it)) => (Status::Completed, Some(&it.final_state)),
        Some(EventKind::WorkflowFailed(_)) => (Status::Failed, None),
        Some(EventKind::WorkflowCancelled(_)) => (Status::Cancelled, None),
        _ => return false,
    };
    (told.status, told.output.as_ref()) == (status, output)
}
