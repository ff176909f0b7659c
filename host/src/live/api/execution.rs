//! One execution as its users hold it.

use std::fmt;
use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::json::Json;
use crate::model::{
    CancelRequested, EventKind, Explanation, Inspection, Label, NodeRequest, OperatorNote,
    RefusalCode, Status,
};
use crate::store::{ExecutionRecord, Head, ItemRecord, KeptOutput, Many, StoredEvent};

use super::finished::{Finished, end_of};
use super::handing_over::hand_over;
use super::record::record;
use super::shared::Shared;
use super::subscription::Subscription;
use crate::live::execution::staged::kind_payload_bytes;
use crate::live::runtime::inbox::Inbox;
use crate::live::runtime::observers::EndsSeen;
use crate::live::turn::offer::offer;
use crate::live::turn::single_step::step_once;
use crate::live::turn::stall::lift;
use crate::live::turn::tampered::check_anew;
use crate::live::values::facts::{self, Approval, Signal};
use crate::live::values::stepped::Stepped;
use crate::live::values::work::Receipt;

/// A handle on one execution.
#[derive(Clone)]
pub struct Execution {
    /// Kept, so that the engine lives for as long as someone holds its executions.
    shared: Arc<Shared>,
    id: ExecutionId,
    /// Who does what is done through this handle.
    by: Option<Arc<str>>,
    /// A moment at which it had not ended, where one is known.
    was_running: Option<EndsSeen>,
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("id", &self.id)
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

impl Execution {
    pub(in crate::live) fn new(shared: Arc<Shared>, id: ExecutionId) -> Self {
        Self {
            shared,
            id,
            by: None,
            was_running: None,
        }
    }

    /// The same execution, of which it is known that it had not ended then.
    pub(in crate::live) fn running_then(self, then: EndsSeen) -> Self {
        Self {
            was_running: Some(then),
            ..self
        }
    }

    /// The same execution, with this name in the log at all that is done through
    /// this handle. Without it, the log does not say who did it.
    #[must_use]
    pub fn by(self, who: &str) -> Self {
        Self {
            by: Some(who.into()),
            ..self
        }
    }

    fn inbox(&self) -> &Inbox {
        &self.shared.inbox
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    // ---- reading ------------------------------------------------------------------

    /// Wait until it has ended, and say how. One that is paused or stalled is
    /// waited for.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], [`EngineError::ShutDown`],
    /// [`EngineError::Died`]; that it failed is no error here.
    pub async fn finished(&self) -> Result<Finished, EngineError> {
        let ending = end_of(&self.shared, self.id, self.was_running).await?;
        let final_state = match ending.final_state {
            Some(final_state) => Json::trusted(final_state),
            None => self.inspect().await?.into_merged_state(),
        };
        Ok(Finished {
            status: ending.status,
            final_state,
            error: ending.error,
        })
    }

    /// What the store knows of it without reading its log.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`].
    pub async fn record(&self) -> Result<ExecutionRecord, EngineError> {
        let id = self.id;
        self.shared.read(move |store| record(store, id)).await
    }

    /// A page of its log: events from sequence `first` on, at most `max`.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`].
    pub async fn events(&self, first: u64, max: u32) -> Result<Vec<StoredEvent>, EngineError> {
        let id = self.id;
        self.shared
            .read(move |store| {
                record(store, id)?;
                Ok(store.events(id, first, max)?)
            })
            .await
    }

    /// Its events as they are committed, from sequence `first` on, also
    /// those that other processes commit.
    #[must_use]
    pub fn subscribe(&self, first: u64) -> Subscription {
        Subscription::new(Arc::clone(&self.shared), self.id, first)
    }

    /// Its work items: those that wait for a worker or are held by one, and
    /// dead letters; each with its queue and since when. Those that cannot be read
    /// are named next to them.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`].
    pub async fn items(&self) -> Result<Many<ItemRecord>, EngineError> {
        let id = self.id;
        self.shared
            .read(move |store| {
                record(store, id)?;
                Ok(store.items(id)?)
            })
            .await
    }

    /// What is kept of what a node's programs have written, of all its attempts, behind
    /// this place of it; from 0 on, all. A program's stdout is kept only if that is not its
    /// answer, or if it was written for so long that others could read it meanwhile.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`].
    pub async fn output(&self, node_id: &str, after: u64) -> Result<Vec<KeptOutput>, EngineError> {
        let (id, node_id) = (self.id, node_id.to_owned());
        self.shared
            .read(move |store| {
                record(store, id)?;
                Ok(store.output(id, &node_id, after)?)
            })
            .await
    }

    /// The labels that it was started with, sorted by name; none if it is erased.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`].
    pub async fn labels(&self) -> Result<Vec<Label>, EngineError> {
        let id = self.id;
        self.shared
            .read(move |store| {
                record(store, id)?;
                Ok(store.labels(id)?)
            })
            .await
    }

    /// Its state as JSON, and the hash of that. The engine's turns go on meanwhile.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`]; [`EngineError::Guest`] when its scheduler
    /// component fails; [`EngineError::Overloaded`] when too many questions to that
    /// component wait.
    pub async fn inspect(&self) -> Result<Inspection, EngineError> {
        let id = self.id;
        self.shared
            .ask_guest(id, move |guest, ports| guest.inspect(ports, id))
            .await
    }

    /// Why a node is where it is.
    ///
    /// # Errors
    /// As [`Execution::inspect`], and [`EngineError::UnknownNode`].
    pub async fn explain(&self, node_id: &str) -> Result<Explanation, EngineError> {
        let (id, node_id) = (self.id, node_id.to_owned());
        self.shared
            .ask_guest(id, move |guest, ports| guest.explain(ports, id, &node_id))
            .await
    }

    // ---- operating ----------------------------------------------------------------
    //
    // All of these fail with `UnknownExecution`, with `Refused` when the
    // execution is not where this can be done, and then nothing has changed.

    /// Decide for a node that waits for a person (rule R19).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the node waits for nobody.
    pub async fn approve(&self, node_id: &str, approval: Approval) -> Result<(), EngineError> {
        self.post(facts::approval(node_id, &approval, self.by.as_deref())?)
            .await
    }

    /// Bring an external event (rule R19); it may come before anyone waits for it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the execution has ended.
    pub async fn signal(
        &self,
        correlation_key: &str,
        payload: impl Into<Json>,
    ) -> Result<(), EngineError> {
        let signal = Signal::new(correlation_key, payload);
        self.send(signal).await.map(drop)
    }

    /// Bring an external event that may have an id. Where an event with that id has
    /// come before, this one counts no more, and the answer says so, at the
    /// execution's end too.
    ///
    /// # Errors
    /// As for [`Execution::signal`].
    pub async fn send(&self, signal: Signal) -> Result<Receipt, EngineError> {
        let fact = facts::signal(&signal, self.by.as_deref())?;
        match self.post(fact).await {
            Err(EngineError::Refused {
                code: RefusalCode::Repeated,
                ..
            }) => Ok(Receipt::AlreadyRecorded),
            sent => sent.map(|()| Receipt::Recorded),
        }
    }

    /// Ask for it to be cancelled (rule R17).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it has ended or is being cancelled.
    pub async fn cancel(&self, reason: Option<&str>) -> Result<(), EngineError> {
        let OperatorNote { reason, by } = self.note(reason)?;
        let request = CancelRequested { reason, by };
        self.post(EventKind::CancelRequested(request)).await
    }

    /// Hold it: no claims, no new items, no endings (rule R18).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it has ended or is paused.
    pub async fn pause(&self, reason: Option<&str>) -> Result<(), EngineError> {
        self.post(EventKind::ExecutionPaused(self.note(reason)?))
            .await
    }

    /// Let it go on after a pause.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it is not paused.
    pub async fn unpause(&self, reason: Option<&str>) -> Result<(), EngineError> {
        self.post(EventKind::ExecutionUnpaused(self.note(reason)?))
            .await
    }

    /// Let it go on after a pause for one step, and pause it again: its scheduler decides
    /// once, and free workers claim its work. It is one turn, in which nobody sees it
    /// unpaused. What is in flight goes on meanwhile, as with any pause; so do its children.
    /// Where nothing would follow, or its scheduler fails, nothing changes.
    ///
    /// What it would decide can be seen before: [`Travel::next_step_after`].
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it is not paused; [`EngineError::Guest`] when its
    /// scheduler component fails.
    ///
    /// [`Travel::next_step_after`]: crate::replay::Travel::next_step_after
    pub async fn step(&self, reason: Option<&str>) -> Result<Stepped, EngineError> {
        let (id, note) = (self.id, self.note(reason)?);
        self.inbox()
            .write(move |turn| step_once(turn, id, &note))
            .await
    }

    /// Try a failed or stalled node again, with a fresh budget of attempts (rule R20).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the node has not failed, or the execution has ended.
    pub async fn retry(&self, node_id: &str, reason: Option<&str>) -> Result<(), EngineError> {
        self.post(EventKind::RetryRequested(self.request(node_id, reason)?))
            .await
    }

    /// Go on without a node, as if it had completed (rule R9).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the node is settled.
    pub async fn skip(&self, node_id: &str, reason: Option<&str>) -> Result<(), EngineError> {
        self.post(EventKind::SkipRequested(self.request(node_id, reason)?))
            .await
    }

    /// Check its whole log against its chain. Where it was set aside because of
    /// its log, and the log holds (again), it goes on.
    ///
    /// # Errors
    /// [`EngineError::Store`] with what does not hold, and where.
    pub async fn check_anew(&self) -> Result<(), EngineError> {
        let id = self.id;
        self.inbox()
            .write(move |turn| check_anew(&mut turn.transaction, id))
            .await
    }

    /// Let it go on after its scheduler component failed, or on a budget of its workflow that
    /// is spent: that counts no more then (rule R28).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when that is not why it stands.
    pub async fn lift_stall(&self, reason: Option<&str>) -> Result<(), EngineError> {
        let (id, note) = (self.id, self.note(reason)?);
        self.inbox()
            .write(move |turn| {
                let staged = turn.transaction.open(id)?;
                if staged.held || staged.record.status != Status::Stalled {
                    return lift(&mut turn.transaction, id, note.clone());
                }
                let fact = EventKind::StallLifted(note.clone());
                offer(&mut turn.transaction, id, fact).map(drop)
            })
            .await
    }

    /// Hands it to another guest: the scheduler component of this digest, which the
    /// store has, or the engine was built with. From then on that one decides (law 10);
    /// what is under way goes on. It reads the whole log, and is not held to what it
    /// would have decided before: an [`Auditor`] with that guest tells.
    ///
    /// [`Receipt::AlreadyRecorded`]: it belongs to that guest, and nothing has changed.
    ///
    /// # Errors
    /// [`EngineError::UnknownGuest`] when nobody has its bytes;
    /// [`EngineError::Refused`] when the execution has ended; [`EngineError::Guest`]
    /// when the guest fails, or does not take the log. Then nothing has changed.
    ///
    /// [`Auditor`]: crate::replay::Auditor
    pub async fn upgrade(&self, guest: &str) -> Result<Receipt, EngineError> {
        hand_over(&self.shared, self.id, self.by.as_deref(), (guest, None)).await
    }

    /// The same, if its log still ends with this head: what was audited is what is
    /// handed over.
    ///
    /// # Errors
    /// As [`Execution::upgrade`], and [`EngineError::HeadMoved`] when the log has gone on.
    pub async fn upgrade_at(&self, guest: &str, head: Head) -> Result<Receipt, EngineError> {
        hand_over(
            &self.shared,
            self.id,
            self.by.as_deref(),
            (guest, Some(head)),
        )
        .await
    }

    fn note(&self, reason: Option<&str>) -> Result<OperatorNote, EngineError> {
        facts::note(reason, self.by.as_deref())
    }

    fn request(&self, node_id: &str, reason: Option<&str>) -> Result<NodeRequest, EngineError> {
        facts::node_request(node_id, reason, self.by.as_deref())
    }

    async fn post(&self, kind: EventKind) -> Result<(), EngineError> {
        let id = self.id;
        self.inbox()
            .write_large(kind_payload_bytes(&kind), move |turn| {
                turn.offer(id, kind.clone()).map(drop)
            })
            .await
    }
}
