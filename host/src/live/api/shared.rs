//! What all handles on one engine share.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::commits::Commits;
use super::queue_use::QueueUse;
use crate::error::EngineError;
use crate::guest::{CallError, Instance};
use crate::id::ExecutionId;
use crate::live::execution::ports::CallPorts;
use crate::live::runtime::commit_news::Committed;
use crate::live::runtime::inbox::{Closing, Inbox, Message};
use crate::live::runtime::observers::Observers;
use crate::live::runtime::questions::Questions;
use crate::live::runtime::readers::Readers;
use crate::live::values::workflow::Workflow;
use crate::live::workers::Programs;
use crate::model::WorkflowSummary;
use crate::store::Reader;

/// What all handles on one engine share. When the last of them is dropped, the
/// engine stops.
pub(in crate::live) struct Shared {
    pub(in crate::live) inbox: Inbox,
    pub(in crate::live) readers: Arc<Readers>,
    pub(in crate::live) questions: Arc<Questions>,
    pub(in crate::live) observers: Arc<Observers>,
    pub(in crate::live) commits: Commits,
    pub(in crate::live) guest_digest: String,
    pub(in crate::live) tenant: String,
    pub(in crate::live) programs: Arc<Programs>,
    pub(in crate::live) queue_use: QueueUse,
}

impl Shared {
    pub(in crate::live) fn new(
        inbox: Inbox,
        observers: Arc<Observers>,
        committed: Committed,
        readers: Arc<Readers>,
        questions: Arc<Questions>,
        guest_digest: String,
        tenant: String,
    ) -> Self {
        Self {
            commits: Commits::new(committed, inbox.clone()),
            inbox,
            observers,
            readers,
            questions,
            guest_digest,
            tenant,
            programs: Programs::new(),
            queue_use: QueueUse::default(),
        }
    }

    /// Asks the store, as it is at one moment, with all that was acknowledged before.
    pub(in crate::live) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Reader) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let _caller = self.inbox.enter(0)?;
        match self.readers.ask(question).await {
            Some(answer) => answer,
            None => Err(self.inbox.ended().await),
        }
    }

    /// Asks the guest of an execution about what is stored of it, with all that was
    /// acknowledged before.
    pub(in crate::live) async fn ask_guest<T: Send + 'static>(
        &self,
        id: ExecutionId,
        call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>)
        + Send
        + 'static,
    ) -> Result<T, EngineError> {
        let _caller = self.inbox.enter(0)?;
        match self.questions.ask(id, call).await {
            Some(answer) => answer,
            None => Err(self.inbox.ended().await),
        }
    }

    /// Asks the guest that new executions belong to whether a workflow is valid.
    pub(in crate::live) async fn validate(
        &self,
        workflow: Workflow,
    ) -> Result<WorkflowSummary, EngineError> {
        let _caller = self.inbox.enter(workflow.text().len())?;
        match self.questions.validate(workflow).await {
            Some(answer) => answer,
            None => Err(self.inbox.ended().await),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        // An engine that has come to its end already need not be told.
        let _ = self
            .inbox
            .send(Message::Close(Closing { drain: false, done }));
    }
}
