//! What is asked of an engine, and what it answers: calls as values, so that
//! they can be sent now, heard of later, and told in a story.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use refrain::model::{
    ApprovalDecision, ApprovalReceived, CancelRequested, Digest, EventKind, ExternalEventReceived,
    GuestChanged, NodeRequest, OperatorNote, Status,
};
use refrain::store::Timestamp;

use refrain::{
    Answer, Approval, Claim, ClaimId, ClaimRequest, Engine, EngineError, ExecutionId, Fork,
    Receipt, Signal, Start, Stepped, WorkError, Workflow,
};
use serde_json::Value;

/// A call on an engine.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// Register a workflow.
    Register(Workflow),
    /// Start one of the world's workflows, perhaps with a key.
    Start {
        /// Which of the world's workflows.
        workflow: usize,
        /// The caller's key.
        key: Option<String>,
        /// The input.
        input: String,
        /// All that is said.
        start: Start,
    },
    /// Claim work.
    Claim {
        /// The queue.
        queue: &'static str,
        /// How many at most.
        max: usize,
        /// Who.
        worker: String,
    },
    /// Ask for work by a request with an id, which may have been sent before.
    Request {
        /// The queue.
        queue: &'static str,
        /// How many at most.
        max: usize,
        /// Who, and the request's id.
        request: (String, String),
        /// Whether it waits for work.
        waits: bool,
    },
    /// Renew a claim.
    Renew(ClaimId),
    /// Answer for a claim.
    Answer(ClaimId, Given),
    /// Do something to an execution.
    Operate(ExecutionId, Operation),
    /// Fork an execution.
    Fork {
        /// Which of the world's workflows it runs.
        workflow: usize,
        /// The execution.
        origin: ExecutionId,
        /// Of how many nodes it edits the results.
        edits: u64,
        /// All that is said.
        fork: Fork,
    },
    /// Come to an end: in peace, or at once.
    Leave {
        /// Whether to let own workers finish.
        in_peace: bool,
    },
}

/// What a worker gives for a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// It did the work.
    Done {
        /// The output.
        output: Value,
        /// The patch.
        patch: Value,
        /// The target that it chose.
        chosen_target: Option<String>,
    },
    /// It failed.
    Failed(WorkError),
    /// It was not done: the worker gives it back.
    Released,
}

/// What people do to an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Hold it.
    Pause,
    /// Let it go on.
    Unpause,
    /// Let it go on for one step of a pause.
    Step,
    /// Ask for its end.
    Cancel,
    /// Decide for a node.
    Approve(String, bool),
    /// Bring an external event, for this key, perhaps with an id.
    Signal(String, Option<String>),
    /// Try a node again.
    Retry(String),
    /// Go on without a node.
    Skip(String),
    /// Lift a host's stall.
    LiftStall,
    /// Hand it to another guest.
    Upgrade(Digest),
    /// Wait until it has ended.
    AwaitEnd,
    /// Only look, at the whole or at a node.
    Look(Option<String>),
}

/// What an engine answers.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// An execution has begun, now or before.
    Started(ExecutionId),
    /// A fork has begun.
    Forked(ExecutionId),
    /// Claims.
    Claimed(Vec<Claim>),
    /// A claim is renewed until then.
    Renewed(Timestamp),
    /// An execution has ended.
    Ended(Status),
    /// An answer counts.
    Settled(Receipt),
    /// An external event counts.
    Sent(Receipt),
    /// A step was taken, or nothing followed.
    Stepped(Stepped),
    /// Done.
    Done,
    /// It was so before, and nothing was done.
    DoneBefore,
}

/// What came of a call.
pub(super) type Outcome = Result<Reply, EngineError>;

/// A call that was sent.
pub(super) struct Sent {
    /// The call.
    pub(super) call: Call,
    answer: Pin<Box<dyn Future<Output = Outcome>>>,
}

impl Sent {
    /// Send a call.
    pub(super) fn new(engine: &Engine, call: Call) -> Self {
        let mut answer = call.clone().send(engine.clone());
        // The first poll sends it, and nothing is answered before a step.
        let early = now(answer.as_mut());
        let answer = match early {
            None => answer,
            Some(outcome) => Box::pin(std::future::ready(outcome)),
        };
        Self { call, answer }
    }

    /// What came of it, if that is known.
    pub(super) fn heard(&mut self) -> Option<Outcome> {
        now(self.answer.as_mut())
    }
}

/// What a future has come to, if it has.
fn now<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl Call {
    fn send(self, engine: Engine) -> Pin<Box<dyn Future<Output = Outcome>>> {
        Box::pin(async move {
            match self {
                Self::Register(workflow) => engine.register(workflow).await.map(|_| Reply::Done),
                Self::Start { start, .. } => {
                    let started = engine.start_with(start).await;
                    started.map(|execution| Reply::Started(execution.id()))
                }
                Self::Claim { queue, max, worker } => {
                    engine.claim(queue, max, &worker).await.map(Reply::Claimed)
                }
                Self::Request {
                    queue,
                    max,
                    request: (worker, id),
                    waits,
                } => {
                    let wait = Duration::from_secs(if waits { 2 } else { 0 });
                    let request = ClaimRequest::new(worker, id, [queue]).max(max).wait(wait);
                    engine.claim_waiting(request).await.map(Reply::Claimed)
                }
                Self::Fork { fork, .. } => {
                    let forked = engine.fork(fork).await;
                    forked.map(|forked| Reply::Forked(forked.execution.id()))
                }
                Self::Renew(claim) => engine.renew(claim).await.map(Reply::Renewed),
                Self::Answer(claim, given) => given.send(&engine, claim).await.map(Reply::Settled),
                Self::Operate(id, operation) => operation.send(&engine, id).await,
                Self::Leave { in_peace: true } => {
                    engine.shutdown().await;
                    Ok(Reply::Done)
                }
                Self::Leave { in_peace: false } => {
                    engine.stop().await;
                    Ok(Reply::Done)
                }
            }
        })
    }
}

impl Given {
    async fn send(self, engine: &Engine, claim: ClaimId) -> Result<Receipt, EngineError> {
        match self {
            Self::Done {
                output,
                patch,
                chosen_target,
            } => {
                let answer = Answer::output(output).patch(patch);
                let answer = match chosen_target {
                    Some(target) => answer.chosen_target(target),
                    None => answer,
                };
                engine.complete(claim, answer).await
            }
            Self::Failed(error) => engine.fail(claim, error).await,
            Self::Released => engine.release(claim, Some("outside")).await,
        }
    }
}

/// Reasons that people give.
const CANCELLED: &str = "not wanted";
const SKIPPED: &str = "not needed";
const STEP: &str = "one step";

/// What external events bring.
fn signalled() -> Value {
    serde_json::json!({ "k2": 2 })
}

impl Operation {
    /// The fact that it is; none: it only looks.
    pub(super) fn fact(&self) -> Option<EventKind> {
        let note = OperatorNote::default();
        let request =
            |node: &String, reason: Option<&str>| NodeRequest::new(node, reason.map(str::to_owned));
        Some(match self {
            Self::Pause => EventKind::ExecutionPaused(note),
            Self::Unpause => EventKind::ExecutionUnpaused(note),
            // The pause behind it need not follow, as where it ends.
            Self::Step => EventKind::ExecutionUnpaused(OperatorNote::new(Some(STEP.to_owned()))),
            Self::LiftStall => EventKind::StallLifted(note),
            Self::Cancel => {
                EventKind::CancelRequested(CancelRequested::new(Some(CANCELLED.to_owned())))
            }
            Self::Approve(node, approved) => EventKind::ApprovalReceived(decided(node, *approved)),
            Self::Signal(key, id) => {
                let mut event = ExternalEventReceived::new(key, signalled().to_string());
                event.event_id.clone_from(id);
                EventKind::ExternalEventReceived(event)
            }
            Self::Retry(node) => EventKind::RetryRequested(request(node, None)),
            Self::Skip(node) => EventKind::SkipRequested(request(node, Some(SKIPPED))),
            Self::Upgrade(guest) => EventKind::GuestChanged(GuestChanged::new(*guest)),
            Self::AwaitEnd | Self::Look(_) => return None,
        })
    }

    async fn send(self, engine: &Engine, id: ExecutionId) -> Outcome {
        let execution = engine.execution(id);
        let done = match self {
            Self::Pause => execution.pause(None).await,
            Self::Unpause => execution.unpause(None).await,
            Self::Step => {
                return execution.step(Some(STEP)).await.map(Reply::Stepped);
            }
            Self::Cancel => execution.cancel(Some(CANCELLED)).await,
            Self::Approve(node, true) => execution.approve(&node, Approval::approved("ada")).await,
            Self::Approve(node, false) => execution.approve(&node, Approval::rejected("bob")).await,
            Self::Signal(key, id) => {
                let signal = Signal::new(key, signalled());
                let signal = id.into_iter().fold(signal, Signal::event_id);
                return execution.send(signal).await.map(Reply::Sent);
            }
            Self::Retry(node) => execution.retry(&node, None).await,
            Self::Skip(node) => execution.skip(&node, Some(SKIPPED)).await,
            Self::LiftStall => execution.lift_stall(None).await,
            Self::Upgrade(guest) => {
                return Ok(match engine.upgrade(id, &guest.to_string()).await? {
                    Receipt::Recorded => Reply::Done,
                    Receipt::AlreadyRecorded => Reply::DoneBefore,
                });
            }
            Self::AwaitEnd => {
                let finished = execution.finished().await?;
                return Ok(Reply::Ended(finished.status));
            }
            Self::Look(None) => execution.inspect().await.map(drop),
            Self::Look(Some(node)) => execution.explain(&node).await.map(drop),
        };
        done.map(|()| Reply::Done)
    }
}

fn decided(node_id: &str, approved: bool) -> ApprovalReceived {
    let (user_id, decision) = if approved {
        ("ada", ApprovalDecision::Approved)
    } else {
        ("bob", ApprovalDecision::Rejected)
    };
    ApprovalReceived::new(node_id, user_id, decision)
}
