//! What one execution has ordered of another is carried out: children are started and
//! cancelled, and parents are told of their ends (law 3, rule R22).
//!
//! It is done in the turn in which it was ordered, as long as that has something left,
//! else in the next. Who has to wait, or is left out of the turn, keeps what it is owed.

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{CHILD_DEPTH_MAX, DESCENDANTS_MAX};
use crate::model::{
    CancelRequested, ChildEnded, ChildRefusal, ChildRefused, ChildStarted, Digest, EventKind,
    FORMAT_VERSION, ParentOrigin, RefusalCode, Status, WorkflowStarted,
};
use crate::order_rules::OrderRules;
use crate::render::workflow_failure;
use crate::store::{ChildRecord, ChildState, ExecutionRecord, WorkflowRecord, ended};

use super::budget::Phase;
use super::child_rows::{drop_row, keep, leave, load, may_be_any, row};
use super::offer::begin;
use super::open_turn::OpenTurn;
use super::stall::stall;
use super::start::{digest_of, registered};
use super::transaction::Transaction;
use crate::live::execution::staged::Staged;

/// Carries out what is owed, as far as the turn reaches. Says whether anything was.
pub(in crate::live) fn carry_out(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    if !may_be_any(&turn.transaction) {
        return Ok(false);
    }
    load(&mut turn.transaction)?;
    let mut moved = false;
    while let Some(child) = turn.transaction.children.next_owed() {
        let Some(record) = row(&mut turn.transaction, child)?.filter(ChildRecord::is_owed) else {
            continue;
        };
        if !is_ours(&turn.transaction, &record) {
            continue;
        }
        if !turn.transaction.may(Phase::Steps) {
            leave(&mut turn.transaction);
            turn.transaction.budget.cut_off();
            break;
        }
        let done = match record.state {
            ChildState::Requested { .. } => start(turn, record),
            ChildState::Cancelled => cancel(turn, record),
            ChildState::Ended => tell(turn, record),
            ChildState::Awaited | ChildState::Settled => Ok(true),
        };
        match done {
            Ok(true) => moved = true,
            Ok(false) => {
                leave(&mut turn.transaction);
                turn.transaction.budget.cut_off();
            }
            // An execution that is damaged or left out does not stop the others.
            Err(EngineError::Store(error)) if !error.is_of_one() => {
                return Err(EngineError::Store(error));
            }
            Err(error) => {
                tracing::warn!(refrain.execution = %child, "what is owed of a child waits: {error}");
                leave(&mut turn.transaction);
            }
        }
    }
    Ok(moved)
}

/// Whether the engine works on one of both: as it does on what began in this turn.
fn is_ours(transaction: &Transaction<'_>, record: &ChildRecord) -> bool {
    [record.parent, record.child].into_iter().any(|id| {
        let staged = transaction.staged.get(&id);
        transaction.core.scope.includes(id)
            || staged.is_some_and(|staged| staged.status_before.is_none())
    })
}

/// Whether this execution can be told nothing in this turn.
fn waits(turn: &mut OpenTurn<'_>, id: ExecutionId) -> Result<bool, EngineError> {
    if turn.comes_next_turn(id) {
        return Ok(true);
    }
    turn.catch_up(id)?;
    turn.has_to_wait(id)
}

/// What a parent's event 1 says that its children take over.
struct Parent {
    started: WorkflowStarted,
    record: ExecutionRecord,
}

fn parent_of(transaction: &mut Transaction<'_>, id: ExecutionId) -> Result<Parent, EngineError> {
    let first = transaction.events(id, 1, 1)?.into_iter().next();
    match first.map(|stored| stored.event.kind) {
        Some(EventKind::WorkflowStarted(started)) => Ok(Parent {
            started: *started,
            record: transaction.open(id)?.record.clone(),
        }),
        _ => Err(EngineError::UnknownExecution(id)),
    }
}

/// Starts a child, and tells its parent; or tells why it cannot be started.
fn start(turn: &mut OpenTurn<'_>, record: ChildRecord) -> Result<bool, EngineError> {
    if waits(turn, record.parent)? {
        return Ok(false);
    }
    let ChildState::Requested { workflow, input } = &record.state else {
        return Ok(true);
    };
    let transaction = &mut turn.transaction;
    let parent = parent_of(transaction, record.parent)?;
    let depth = parent.started.parent.as_ref().map_or(0, |it| it.depth) + 1;
    let text_of_parent = text_of(transaction, &parent)?;
    let rules = OrderRules::of(&text_of_parent);
    let is_detached = rules
        .child(&record.node_id)
        .is_some_and(|it| it.is_detached);
    let in_place = rules.child(&record.node_id).and_then(|it| it.in_place());
    let found = match (workflow, in_place) {
        (Some(name), _) => registered(
            transaction,
            &parent.record.tenant,
            &name.workflow_id,
            &name.version,
        )?,
        (None, Some(text)) => written_in_place(transaction, &parent, &record.node_id, text)?,
        (None, None) => None,
    };
    let Some(workflow) = found else {
        return refuse(turn, record, ChildRefusal::UnknownWorkflow);
    };
    if depth > CHILD_DEPTH_MAX {
        return refuse(turn, record, ChildRefusal::TooDeep);
    }
    if has_too_many(transaction, record.root)? {
        return refuse(turn, record, ChildRefusal::TooMany);
    }
    let digest = digest_of(&workflow)?;
    let event_1 = event_1(
        transaction,
        &parent,
        &record,
        depth,
        input.clone(),
        &workflow,
        digest,
    );
    let salts = transaction.core.random.salts();
    let guest_digest = Arc::clone(&parent.record.guest_digest);
    let now = transaction.now();
    let of_child = ExecutionRecord::before(&event_1, record.child, now, guest_digest);
    let child = Staged::new(of_child, salts);
    let is_kept = transaction
        .besides
        .workflows
        .iter()
        .any(|it| same(it, &workflow));
    if workflow_is_new(transaction, &workflow)? && !is_kept {
        transaction.besides.workflows.push(workflow.clone());
    }
    transaction.links.link(record.parent, record.child);
    if let Err(error) = begin(
        transaction,
        child,
        EventKind::WorkflowStarted(Box::new(event_1)),
    ) {
        if let EngineError::Store(_) = error {
            return Err(error);
        }
        tracing::warn!(refrain.execution = %record.child, "a child cannot be started: {error}");
        return refuse(turn, record, ChildRefusal::UnknownWorkflow);
    }
    let fact = EventKind::ChildStarted(ChildStarted {
        node_id: record.node_id.clone(),
        attempt: record.attempt,
        iteration: record.iteration,
        child_id: record.child.to_string(),
        workflow_digest: digest,
    });
    if let Err(error) = turn.offer(record.parent, fact) {
        // What fails of one discards the other's part.
        let transaction = &mut turn.transaction;
        transaction.staged.remove(&record.child);
        transaction.to_step.remove(&record.child);
        transaction.changed.remove(&record.child);
        return Err(error);
    }
    let transaction = &mut turn.transaction;
    transaction.core.scope.join(record.child);
    let state = match is_detached {
        true => ChildState::Settled,
        false if ended(transaction.open(record.child)?.record.status) => ChildState::Ended,
        false => ChildState::Awaited,
    };
    if let Some(count) = transaction.children.descendants.get_mut(&record.root) {
        *count += 1;
    }
    // Its parent may have been stopped by what it was told.
    if row(transaction, record.child)?.is_some_and(|it| !it.is_owed() || it.state == record.state) {
        keep(transaction, ChildRecord { state, ..record });
    }
    Ok(true)
}

fn same(one: &WorkflowRecord, other: &WorkflowRecord) -> bool {
    (&one.tenant, &one.workflow_id, &one.version)
        == (&other.tenant, &other.workflow_id, &other.version)
}

fn workflow_is_new(
    transaction: &mut Transaction<'_>,
    workflow: &WorkflowRecord,
) -> Result<bool, EngineError> {
    let WorkflowRecord {
        tenant,
        workflow_id,
        version,
        ..
    } = workflow;
    Ok(registered(transaction, tenant, workflow_id, version)?.is_none())
}

fn text_of(transaction: &mut Transaction<'_>, parent: &Parent) -> Result<String, EngineError> {
    let ExecutionRecord {
        tenant,
        workflow_id,
        workflow_version,
        ..
    } = &parent.record;
    let found = registered(transaction, tenant, workflow_id, workflow_version)?;
    Ok(found.map(|workflow| workflow.text).unwrap_or_default())
}

/// The workflow that a node has written in place, by its name: `parent/node` of its
/// parent's version. `None` if another text has that name.
fn written_in_place(
    transaction: &mut Transaction<'_>,
    parent: &Parent,
    node_id: &str,
    text: &str,
) -> Result<Option<WorkflowRecord>, EngineError> {
    let node_id = crate::model::node_of_run(node_id);
    let workflow_id = format!("{}/{node_id}", parent.record.workflow_id);
    let version = parent.record.workflow_version.clone();
    let tenant = parent.record.tenant.clone();
    let found = registered(transaction, &tenant, &workflow_id, &version)?;
    Ok(match found {
        Some(found) => Some(found).filter(|found| found.text == text),
        None => Some(WorkflowRecord {
            digest: crate::log::digest::digest(text.as_bytes()),
            tenant,
            workflow_id,
            version,
            text: text.to_owned(),
        }),
    })
}

/// Whether a root has as many descendants as it may have.
fn has_too_many(transaction: &mut Transaction<'_>, root: ExecutionId) -> Result<bool, EngineError> {
    let count = match transaction.children.descendants.get(&root) {
        Some(count) => *count,
        None => {
            let count = transaction.core.store.get().descendants(root)?;
            transaction.children.descendants.insert(root, count);
            count
        }
    };
    Ok(count > DESCENDANTS_MAX)
}

fn event_1(
    transaction: &mut Transaction<'_>,
    parent: &Parent,
    record: &ChildRecord,
    depth: u32,
    input: String,
    workflow: &WorkflowRecord,
    workflow_digest: Digest,
) -> WorkflowStarted {
    let guest_digest = parent.record.guest_digest.parse();
    WorkflowStarted {
        format: FORMAT_VERSION,
        execution_id: record.child.to_string(),
        workflow_id: workflow.workflow_id.clone(),
        workflow_version: workflow.version.clone(),
        workflow_digest,
        guest_digest: guest_digest.unwrap_or(parent.started.guest_digest),
        initial_input: input,
        limits: parent.started.limits,
        seed: transaction.core.random.jitter_seed(),
        tenant: parent.record.tenant.clone(),
        simulated: parent.started.simulated,
        key: None,
        forked_from: None,
        parent: Some(ParentOrigin {
            execution_id: record.parent.to_string(),
            node_id: record.node_id.clone(),
            attempt: record.attempt,
            iteration: record.iteration,
            sequence: record.sequence,
            root: record.root.to_string(),
            depth,
        }),
        labels: Vec::new(),
        priority: parent.record.priority,
        by: None,
    }
}

/// Tells the parent that its child cannot be started.
fn refuse(
    turn: &mut OpenTurn<'_>,
    record: ChildRecord,
    code: ChildRefusal,
) -> Result<bool, EngineError> {
    let fact = EventKind::ChildRefused(ChildRefused {
        node_id: record.node_id,
        attempt: record.attempt,
        iteration: record.iteration,
        code,
    });
    turn.offer(record.parent, fact)?;
    drop_row(&mut turn.transaction, record.child);
    Ok(true)
}

/// Asks for the end of a child that nobody waits for any more.
fn cancel(turn: &mut OpenTurn<'_>, record: ChildRecord) -> Result<bool, EngineError> {
    let child = record.child;
    if !ended(turn.transaction.open(child)?.record.status) {
        if waits(turn, child)? {
            return Ok(false);
        }
        turn.transaction.links.link(record.parent, child);
        let fact = EventKind::CancelRequested(CancelRequested {
            reason: None,
            by: None,
        });
        match turn.offer(child, fact) {
            // It ended meanwhile, or somebody has asked for it already.
            Ok(_) | Err(EngineError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let state = ChildState::Settled;
    keep(&mut turn.transaction, ChildRecord { state, ..record });
    Ok(true)
}

/// Tells a parent that its child has ended.
fn tell(turn: &mut OpenTurn<'_>, record: ChildRecord) -> Result<bool, EngineError> {
    let (parent, child) = (record.parent, record.child);
    if waits(turn, parent)? {
        return Ok(false);
    }
    let transaction = &mut turn.transaction;
    let head = transaction.open(child)?.record.head;
    let last = transaction
        .events(child, head.sequence, 1)?
        .into_iter()
        .next();
    let (status, output, error) = match last.map(|stored| stored.event.kind) {
        Some(EventKind::WorkflowCompleted(it)) => (Status::Completed, Some(it.final_state), None),
        Some(EventKind::WorkflowFailed(it)) => {
            (Status::Failed, None, Some(workflow_failure(&it.cause)))
        }
        _ => (Status::Cancelled, None, None),
    };
    let fact = EventKind::ChildEnded(ChildEnded {
        node_id: record.node_id.clone(),
        attempt: record.attempt,
        iteration: record.iteration,
        child_id: child.to_string(),
        status,
        sequence: head.sequence,
        head: Digest(head.hash),
        output,
        error,
    });
    transaction.links.link(parent, child);
    match turn.offer(parent, fact) {
        Ok(_) => {}
        Err(EngineError::Refused {
            code: RefusalCode::Ended,
            ..
        }) => {}
        // A scheduler that does not take what it waits for has failed.
        Err(EngineError::Refused { reason, .. }) if !turn.transaction.open(parent)?.held => {
            stall(&mut turn.transaction, parent, &reason)?;
            return Err(EngineError::Refused {
                execution: parent,
                code: RefusalCode::Held,
                reason,
            });
        }
        Err(error) => return Err(error),
    }
    // The parent may have asked for the next child of this node meanwhile: that is another.
    let state = ChildState::Settled;
    keep(&mut turn.transaction, ChildRecord { state, ..record });
    Ok(true)
}
