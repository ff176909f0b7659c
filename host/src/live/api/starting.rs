//! Workflows are registered, and executions of them started.

use std::sync::Arc;

use crate::error::EngineError;
use crate::model::WorkflowSummary;
use crate::store::WorkflowRecord;

use super::execution::Execution;
use super::shared::Shared;
use crate::live::turn::open_turn::OpenTurn;
use crate::live::turn::start;
use crate::live::values::start::Start;
use crate::live::values::workflow::Workflow;

pub(super) async fn register_workflow(
    shared: &Shared,
    workflow: Workflow,
) -> Result<WorkflowSummary, EngineError> {
    let bytes = workflow.text().len();
    let register = move |turn: &mut OpenTurn<'_>| start::register(&mut turn.transaction, &workflow);
    let summary = shared.inbox.write_large(bytes, register).await?;
    shared.queue_use.uses(&summary.queues);
    Ok(summary)
}

/// A workflow, as it was registered.
pub(super) async fn registered(
    shared: &Shared,
    workflow_id: &str,
    version: &str,
) -> Result<WorkflowRecord, EngineError> {
    let (workflow_id, version) = (workflow_id.to_owned(), version.to_owned());
    let tenant = shared.tenant.clone();
    shared
        .read(move |store| {
            let workflow = store.workflow(&tenant, &workflow_id, &version)?;
            workflow.ok_or(EngineError::UnknownWorkflow {
                workflow_id,
                version,
            })
        })
        .await
}

pub(super) async fn start_execution(
    shared: &Arc<Shared>,
    start: Start,
) -> Result<Execution, EngineError> {
    start.check()?;
    for needless in shared.queue_use.needless() {
        needless.warn();
    }
    // A key may have started it long ago; without one it does not run yet.
    let now = start.key.is_none().then(|| shared.observers.ends_seen());
    let bytes = start.input.as_str().len();
    let begin = move |turn: &mut OpenTurn<'_>| start::start(&mut turn.transaction, &start);
    let id = shared.inbox.write_large(bytes, begin).await?;
    let execution = Execution::new(Arc::clone(shared), id);
    Ok(match now {
        Some(now) => execution.running_then(now),
        None => execution,
    })
}
