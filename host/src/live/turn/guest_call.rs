//! One call into a guest: about an execution, or about a workflow.

use crate::error::EngineError;
use crate::guest::{CallError, Instance};
use crate::id::ExecutionId;
use crate::model::{SchedulerError, WorkflowSummary};
use crate::store::Timestamp;

use super::core::Core;
use crate::live::cache::guests::Guests;
use crate::live::cache::instances::Failure;
use crate::live::execution::ports::{CallPorts, CallStore, Offer, Orders};
use crate::live::execution::staged::Staged;
use crate::live::values::workflow::Workflow;

/// What a call into a guest is about, and what the guest may do in it.
pub(in crate::live) struct GuestCall {
    /// The execution.
    pub(in crate::live) staged: Box<Staged>,
    /// The turn's clock reading.
    pub(in crate::live) now: Timestamp,
    /// The workflow's text, where the turn itself registered it.
    pub(in crate::live) workflow_text: Option<String>,
    /// What the guest is offered, if the call is a step.
    pub(in crate::live) offer: Option<Offer>,
}

/// Calls the execution's guest, and gives the execution back with the answer.
pub(in crate::live) fn call_guest<T>(
    core: &mut Core,
    about: GuestCall,
    call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>),
) -> (Box<Staged>, Result<T, Failure>) {
    let GuestCall {
        staged,
        now,
        workflow_text,
        offer,
    } = about;
    // A refusal is an answer to a question. In a step it is the guest's failure.
    let is_answer: fn(&SchedulerError) -> bool = match &offer {
        None => |_| true,
        Some(_) if staged.record.head.sequence > 0 => |_| false,
        // An execution begins, unless its event 1 may not stand there.
        Some(_) => |error| {
            matches!(
                error,
                SchedulerError::Illegal(_) | SchedulerError::InvalidWorkflow(_)
            )
        },
    };
    let ports = CallPorts {
        store: CallStore::Turn(core.store.lend()),
        staged,
        orders: Orders::default(),
        order_rules: None,
        workflow_text,
        now,
        offer,
    };
    let (ports, answer) = core.guests.ask(ports, is_answer, call);
    let store = ports.store.of_turn();
    core.store
        .give_back(store.expect("the ports have the store that they were given"));
    if let Some(reason) = &ports.staged.bad_snapshot {
        let id = ports.staged.record.id;
        core.set_aside.say(&format!(
            "the snapshot of {id} is not used, and its log is read instead: {reason}"
        ));
    }
    (ports.staged, answer)
}

/// Asks the guest that new executions belong to whether a workflow is valid (rule R1).
pub(in crate::live) fn validate(
    guests: &mut Guests,
    workflow: &Workflow,
) -> Result<WorkflowSummary, EngineError> {
    let reason = match guests.validate(workflow.text()) {
        Ok(Ok(summary)) => return Ok(summary),
        Ok(Err(faults)) => return Err(EngineError::InvalidWorkflow(faults)),
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Refused(refusal)) => CallError::Scheduler(refusal).to_string(),
        Err(Failure::Broken(reason)) => reason,
    };
    let digest = guests.own().to_string();
    Err(EngineError::Guest { digest, reason })
}

/// A failed call, as a caller of the engine sees it.
pub(in crate::live) fn engine_error(
    failure: Failure,
    id: ExecutionId,
    digest: &str,
) -> EngineError {
    match failure {
        Failure::Store(error) => error.into(),
        Failure::Refused(SchedulerError::UnknownNode(node_id)) => EngineError::UnknownNode {
            execution: id,
            node_id,
        },
        Failure::Refused(SchedulerError::Illegal(illegal)) => EngineError::Refused {
            execution: id,
            code: illegal.code,
            reason: illegal.reason,
        },
        Failure::Refused(SchedulerError::InvalidWorkflow(faults)) => {
            EngineError::InvalidWorkflow(faults)
        }
        Failure::Refused(other) => EngineError::Guest {
            digest: digest.to_owned(),
            reason: CallError::Scheduler(other).to_string(),
        },
        Failure::Broken(reason) => EngineError::Guest {
            digest: digest.to_owned(),
            reason,
        },
    }
}
