//! Workflows are registered, and executions begin.

use std::sync::Arc;

use crate::error::EngineError;
use crate::guest::{CallError, asking, why_refused};
use crate::id::ExecutionId;
use crate::model::{Digest, EventKind, FORMAT_VERSION, WorkflowStarted, WorkflowSummary};
use crate::store::{ExecutionRecord, StoreError, WorkflowRecord, labels_as_kept};

use super::calls::count;
use super::components::component_to_keep;
use super::damaged::may_come_in;
use super::guest_call::validate;
use super::offer::begin;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::staged::Staged;
use crate::live::values::start::Start;
use crate::live::values::workflow::Workflow;

/// Registers a workflow; the same content again is no change.
pub(in crate::live) fn register(
    transaction: &mut Transaction<'_>,
    workflow: &Workflow,
) -> Result<WorkflowSummary, EngineError> {
    let summary = validate(&mut transaction.core.guests, workflow);
    count(transaction);
    let summary = summary?;
    let tenant = transaction.core.settings.tenant.clone();
    match registered(transaction, &tenant, &summary.workflow_id, &summary.version)? {
        Some(registered) if registered.text == workflow.text() => {}
        Some(_) => {
            return Err(EngineError::WorkflowDiffers {
                workflow_id: summary.workflow_id,
                version: summary.version,
            });
        }
        None => transaction.besides.workflows.push(WorkflowRecord {
            tenant,
            workflow_id: summary.workflow_id.clone(),
            version: summary.version.clone(),
            text: workflow.text().to_owned(),
            digest: workflow.digest(),
        }),
    }
    Ok(summary)
}

/// Starts an execution, or finds the one that the same key started.
pub(in crate::live) fn start(
    transaction: &mut Transaction<'_>,
    start: &Start,
) -> Result<ExecutionId, EngineError> {
    let tenant = transaction.core.settings.tenant.clone();
    let id_of_key = match transaction.core.settings.simulated {
        true => ExecutionId::of_simulated_key,
        false => ExecutionId::of_key,
    };
    let of_key = start
        .key
        .as_deref()
        .map(|key| (key, id_of_key(&tenant, key)));
    if let Some((_, id)) = of_key {
        may_come_in(transaction.core, id)?;
    }
    if let Some((key, id)) = of_key
        && is_begun(transaction, id, key)?
    {
        started_the_same(transaction, id, start, key)?;
        if !start.breakpoints.is_empty() {
            let text = workflow_text(transaction, &start.workflow_id, &start.version)?;
            check_breakpoints(transaction, &text, start)?;
            set_breakpoints(transaction, id, start);
        }
        join_scope(transaction, id);
        return Ok(id);
    }
    let unknown = || EngineError::UnknownWorkflow {
        workflow_id: start.workflow_id.clone(),
        version: start.version.clone(),
    };
    let workflow = registered(transaction, &tenant, &start.workflow_id, &start.version)?
        .ok_or_else(unknown)?;
    check_breakpoints(transaction, &workflow.text, start)?;
    let own = transaction.core.guests.own().to_owned();
    let component = component_to_keep(transaction, &own)?;
    transaction.besides.components.extend(component);
    let core = &mut *transaction.core;
    let id = match of_key {
        Some((_, id)) => id,
        None => core.random.execution_id(),
    };
    let started = WorkflowStarted {
        format: FORMAT_VERSION,
        execution_id: id.to_string(),
        workflow_id: start.workflow_id.clone(),
        workflow_version: start.version.clone(),
        workflow_digest: digest_of(&workflow)?,
        guest_digest: core.guests.own_digest(),
        initial_input: start.input.to_string(),
        limits: core.settings.limits,
        seed: match start.jitter_seed {
            Some(seed) => seed,
            None => core.random.jitter_seed(),
        },
        tenant,
        simulated: core.settings.simulated,
        key: start.key.clone(),
        forked_from: None,
        parent: None,
        labels: start.labels.clone(),
        priority: start.priority,
        by: start.by.clone(),
    };
    let salts = core.random.salts();
    let guest_digest = Arc::clone(core.guests.own());
    let record = ExecutionRecord::before(&started, id, transaction.now(), guest_digest);
    let started = EventKind::WorkflowStarted(Box::new(started));
    set_breakpoints(transaction, id, start);
    begin(transaction, Staged::new(record, salts), started)?;
    tracing::info!(refrain.execution = %id, refrain.workflow = %start.workflow_id, "started");
    Ok(id)
}

/// Whether the breakpoints of a start are places of this workflow, as the engine's guest
/// reads conditions.
fn check_breakpoints(
    transaction: &mut Transaction<'_>,
    workflow: &str,
    start: &Start,
) -> Result<(), EngineError> {
    start.breakpoints.check_nodes(workflow)?;
    for condition in start.breakpoints.conditions() {
        let checked = transaction.core.guests.validate(&asking(condition));
        count(transaction);
        let reason = match checked {
            Ok(Ok(_)) => continue,
            Ok(Err(faults)) => why_refused(faults),
            Err(Failure::Store(error)) => return Err(error.into()),
            Err(Failure::Refused(refusal)) => CallError::Scheduler(refusal).to_string(),
            Err(Failure::Broken(reason)) => reason,
        };
        return Err(EngineError::Breakpoint {
            breakpoint: condition.clone(),
            reason,
        });
    }
    Ok(())
}

/// The execution is to be paused where its start says.
fn set_breakpoints(transaction: &mut Transaction<'_>, id: ExecutionId, start: &Start) {
    let (breakpoints, by) = (start.breakpoints.clone(), start.by.clone());
    transaction.core.breakpoints.set(id, breakpoints, by);
}

/// The text of a workflow that is registered for the engine's tenant; empty if there is none.
pub(in crate::live) fn workflow_text(
    transaction: &mut Transaction<'_>,
    workflow_id: &str,
    version: &str,
) -> Result<String, EngineError> {
    let tenant = transaction.core.settings.tenant.clone();
    let registered = registered(transaction, &tenant, workflow_id, version)?;
    Ok(registered.map(|workflow| workflow.text).unwrap_or_default())
}

/// The engine works on this execution too, and on its children. What is due of it, and
/// waits, may have been looked for already in this turn, so that the next turn looks for
/// it, and for the children that it has.
fn join_scope(transaction: &mut Transaction<'_>, id: ExecutionId) {
    if transaction.core.scope.join(id) {
        transaction.core.known.nothing_due.invalidate();
        transaction.core.children.forget();
        transaction.budget.cut_off();
    }
}

/// Whether the execution that this key starts has begun, before or in this turn. One
/// that was erased since says neither what it was started with nor what came of it, so
/// that nobody can be told that it is the same.
fn is_begun(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    key: &str,
) -> Result<bool, EngineError> {
    if transaction.staged.contains_key(&id) {
        return Ok(true);
    }
    match transaction.core.store.get().execution(id)? {
        None => Ok(false),
        Some(record) if record.erased.is_some() => Err(EngineError::KeyErased {
            key: key.to_owned(),
            execution: id,
        }),
        Some(_) => Ok(true),
    }
}

/// The execution that the key started was asked for the same.
fn started_the_same(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    start: &Start,
    key: &str,
) -> Result<(), EngineError> {
    let first = transaction.events(id, 1, 1)?;
    let differs = match first.first().map(|stored| &stored.event.kind) {
        Some(EventKind::WorkflowStarted(started)) => differing(started, start),
        _ => vec!["start"],
    };
    if differs.is_empty() {
        Ok(())
    } else {
        Err(EngineError::KeyTaken {
            key: key.to_owned(),
            execution: id,
            differs: differs.join(", "),
        })
    }
}

/// What is asked for otherwise than it was started.
fn differing(started: &WorkflowStarted, start: &Start) -> Vec<&'static str> {
    let is_version = started.workflow_version == start.version;
    let parts = [
        ("workflow", started.workflow_id == start.workflow_id),
        ("version of the workflow", is_version),
        ("input", started.initial_input == start.input.as_str()),
        ("priority", started.priority == start.priority),
        (
            "list of labels",
            labels_as_kept(&started.labels) == labels_as_kept(&start.labels),
        ),
    ];
    let differing = parts.into_iter().filter(|(_, is_same)| !is_same);
    differing.map(|(part, _)| part).collect()
}

/// The tenant's workflow of this id and version, stored or in this turn.
pub(super) fn registered(
    transaction: &mut Transaction<'_>,
    tenant: &str,
    workflow_id: &str,
    version: &str,
) -> Result<Option<WorkflowRecord>, EngineError> {
    let this = |workflow: &&WorkflowRecord| {
        (
            &*workflow.tenant,
            &*workflow.workflow_id,
            &*workflow.version,
        ) == (tenant, workflow_id, version)
    };
    match transaction.besides.workflows.iter().find(this) {
        Some(workflow) => Ok(Some(workflow.clone())),
        None => {
            let store = transaction.core.store.get();
            Ok(store.workflow(tenant, workflow_id, version)?)
        }
    }
}

/// The digest of a registered workflow's text, as event 1 has it.
pub(super) fn digest_of(workflow: &WorkflowRecord) -> Result<Digest, StoreError> {
    let digest = workflow.digest.parse::<Digest>();
    digest.map_err(|error| StoreError::Corrupt {
        place: format!("workflow {} {}", workflow.workflow_id, workflow.version),
        detail: error.to_string(),
    })
}
