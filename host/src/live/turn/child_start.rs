//! A child is started, as its parent ordered it: its event 1, its record, its workflow; and
//! its parent is told, or told why it cannot be started (rule R22).

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{CHILD_DEPTH_MAX, DESCENDANTS_MAX};
use crate::log::digest;
use crate::model::{
    ChildRefusal, ChildRefused, ChildStarted, Digest, EventKind, FORMAT_VERSION, ParentOrigin,
    WorkflowName, WorkflowStarted, node_of_run,
};
use crate::store::{ChildRecord, ChildState, ExecutionRecord, WorkflowRecord, ended};

use super::child_rows::{descendants, drop_row, keep, row};
use super::claimed_items::rules;
use super::known_children::Inherited;
use super::offer::begin;
use super::open_turn::OpenTurn;
use super::start::{digest_of, registered};
use super::transaction::Transaction;
use crate::live::execution::staged::Staged;

/// Starts a child, and tells its parent; or tells why it cannot be started. Answers that
/// nothing more is owed.
pub(super) fn start(turn: &mut OpenTurn<'_>, record: ChildRecord) -> Result<bool, EngineError> {
    let ChildState::Requested { workflow, input } = &record.state else {
        return Ok(true);
    };
    let transaction = &mut turn.transaction;
    let parent = parent_of(transaction, record.parent)?;
    let ordered = rules(transaction, record.parent)?;
    let rules = ordered.child(&record.node_id);
    let is_detached = rules.is_some_and(|it| it.is_detached);
    let found = match (workflow, rules.and_then(|it| it.in_place())) {
        (Some(name), _) => named(transaction, &parent, name)?,
        (None, Some(text)) => written_in_place(transaction, &parent, &record.node_id, text)?,
        (None, None) => None,
    };
    let Some(found) = found else {
        return refuse(turn, record, ChildRefusal::UnknownWorkflow);
    };
    if parent.inherited.depth >= CHILD_DEPTH_MAX {
        return refuse(turn, record, ChildRefusal::TooDeep);
    }
    if *descendants(transaction, record.root)? > DESCENDANTS_MAX {
        return refuse(turn, record, ChildRefusal::TooMany);
    }
    let Found { workflow, is_new } = found;
    let digest = digest_of(&workflow)?;
    let input = input.clone();
    let event_1 = event_1(transaction, &parent, &record, input, &workflow, digest);
    let (now, guest_digest) = (transaction.now(), Arc::clone(&parent.guest_digest));
    let first = ExecutionRecord::before(&event_1, record.child, now, guest_digest);
    let child = Staged::new(first, transaction.core.random.salts());
    let event_1 = EventKind::WorkflowStarted(Box::new(event_1));
    if is_new {
        transaction.besides.workflows.push(workflow);
    }
    transaction.links.link(record.parent, record.child);
    let breakpoints = &mut transaction.core.breakpoints;
    breakpoints.pass_on(record.parent, &record.node_id, record.child);
    if let Err(error) = begin(transaction, child, event_1) {
        if let EngineError::Store(_) = error {
            return Err(error);
        }
        tracing::warn!(refrain.execution = %record.child, "a child cannot be started: {error}");
        return refuse(turn, record, ChildRefusal::UnknownWorkflow);
    }
    tell_started(turn, &record, digest)?;
    let transaction = &mut turn.transaction;
    transaction.core.scope.join(record.child);
    let state = match is_detached {
        true => ChildState::Settled,
        false if ended(transaction.open(record.child)?.record.status) => ChildState::Ended,
        false => ChildState::Awaited,
    };
    // Its parent may have been stopped by what it was told.
    if row(transaction, record.child)?.is_some_and(|it| !it.is_owed() || it.state == record.state) {
        keep(transaction, ChildRecord { state, ..record });
    }
    Ok(true)
}

/// Tells the parent that its child has begun.
fn tell_started(
    turn: &mut OpenTurn<'_>,
    record: &ChildRecord,
    workflow_digest: Digest,
) -> Result<(), EngineError> {
    let fact = EventKind::ChildStarted(ChildStarted {
        node_id: record.node_id.clone(),
        attempt: record.attempt,
        iteration: record.iteration,
        child_id: record.child.to_string(),
        workflow_digest,
    });
    if let Err(error) = turn.offer(record.parent, fact) {
        // What fails of one discards the other's part.
        let transaction = &mut turn.transaction;
        transaction.staged.remove(&record.child);
        transaction.to_step.remove(&record.child);
        transaction.changed.remove(&record.child);
        return Err(error);
    }
    Ok(())
}

/// Tells the parent that its child cannot be started.
fn refuse(
    turn: &mut OpenTurn<'_>,
    record: ChildRecord,
    code: ChildRefusal,
) -> Result<bool, EngineError> {
    let fact = EventKind::ChildRefused(ChildRefused {
        node_id: record.node_id.clone(),
        attempt: record.attempt,
        iteration: record.iteration,
        code,
    });
    turn.offer(record.parent, fact)?;
    drop_row(&mut turn.transaction, &record)?;
    Ok(true)
}

/// A parent, as far as its children take after it.
struct Parent {
    inherited: Inherited,
    workflow_id: String,
    workflow_version: String,
    guest_digest: Arc<str>,
    tenant: String,
    priority: u32,
}

fn parent_of(transaction: &mut Transaction<'_>, id: ExecutionId) -> Result<Parent, EngineError> {
    let inherited = inherited(transaction, id)?;
    let record = &transaction.open(id)?.record;
    Ok(Parent {
        inherited,
        workflow_id: record.workflow_id.clone(),
        workflow_version: record.workflow_version.clone(),
        guest_digest: Arc::clone(&record.guest_digest),
        tenant: record.tenant.clone(),
        priority: record.priority,
    })
}

/// What event 1 of this execution says that its children take over. It is read once in a
/// turn, because it can be as long as an input.
fn inherited(transaction: &mut Transaction<'_>, id: ExecutionId) -> Result<Inherited, EngineError> {
    if let Some(known) = transaction.children.inherited.get(&id) {
        return Ok(*known);
    }
    let first = transaction.events(id, 1, 1)?.into_iter().next();
    let Some(EventKind::WorkflowStarted(started)) = first.map(|stored| stored.event.kind) else {
        return Err(EngineError::UnknownExecution(id));
    };
    let inherited = Inherited {
        depth: started.parent.as_ref().map_or(0, |it| it.depth),
        limits: started.limits,
        simulated: started.simulated,
        guest_digest: started.guest_digest,
    };
    transaction.children.inherited.insert(id, inherited);
    Ok(inherited)
}

/// The workflow of a child.
struct Found {
    workflow: WorkflowRecord,
    /// Whether it is to be registered with the child.
    is_new: bool,
}

/// The workflow of this name. `None` if there is none.
fn named(
    transaction: &mut Transaction<'_>,
    parent: &Parent,
    name: &WorkflowName,
) -> Result<Option<Found>, EngineError> {
    let WorkflowName {
        workflow_id,
        version,
    } = name;
    let found = registered(transaction, &parent.tenant, workflow_id, version)?;
    Ok(found.map(|workflow| Found {
        workflow,
        is_new: false,
    }))
}

/// The workflow that a node has written in place, by its name: `parent/node` of its
/// parent's version. `None` if another text has that name.
fn written_in_place(
    transaction: &mut Transaction<'_>,
    parent: &Parent,
    node_id: &str,
    text: &str,
) -> Result<Option<Found>, EngineError> {
    let name = WorkflowName {
        workflow_id: format!("{}/{}", parent.workflow_id, node_of_run(node_id)),
        version: parent.workflow_version.clone(),
    };
    if let Some(found) = named(transaction, parent, &name)? {
        return Ok(Some(found).filter(|found| found.workflow.text == text));
    }
    Ok(Some(Found {
        workflow: WorkflowRecord {
            digest: digest::digest(text.as_bytes()),
            tenant: parent.tenant.clone(),
            workflow_id: name.workflow_id,
            version: name.version,
            text: text.to_owned(),
        },
        is_new: true,
    }))
}

fn event_1(
    transaction: &mut Transaction<'_>,
    parent: &Parent,
    record: &ChildRecord,
    input: String,
    workflow: &WorkflowRecord,
    workflow_digest: Digest,
) -> WorkflowStarted {
    let inherited = &parent.inherited;
    let guest_digest = parent.guest_digest.parse();
    WorkflowStarted {
        format: FORMAT_VERSION,
        execution_id: record.child.to_string(),
        workflow_id: workflow.workflow_id.clone(),
        workflow_version: workflow.version.clone(),
        workflow_digest,
        guest_digest: guest_digest.unwrap_or(inherited.guest_digest),
        initial_input: input,
        limits: inherited.limits,
        seed: transaction.core.random.jitter_seed(),
        tenant: parent.tenant.clone(),
        simulated: inherited.simulated,
        key: None,
        forked_from: None,
        parent: Some(ParentOrigin {
            execution_id: record.parent.to_string(),
            node_id: record.node_id.clone(),
            attempt: record.attempt,
            iteration: record.iteration,
            sequence: record.sequence,
            root: record.root.to_string(),
            depth: inherited.depth + 1,
        }),
        labels: Vec::new(),
        priority: parent.priority,
        by: None,
    }
}
