//! How callers, in their async tasks, reach the engine's thread, and are answered.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{oneshot, watch};

use crate::error::{EngineError, WorkError};

use super::delivery::{Delivery, SaidMeanwhile};
use crate::live::turn::core::Core;
use crate::live::turn::open_turn::OpenTurn;
use crate::live::turn::waiting_claims::ClaimCaller;
use crate::live::turn::write::{Again, Write};
use crate::live::values::callers::{Caller, Callers, CallersMax};
use crate::live::values::claim_request::ClaimRequest;
use crate::live::values::closing::ClosingFlag;
use crate::live::values::work::{Answer, Claim, ClaimId};
use crate::live::workers::{Deliver, Within, WorkerGroup};
use crate::store::OutputPiece;

/// A message in an engine's inbox.
pub(crate) enum Message {
    /// A write that is applied within a turn, and answered when the turn is written.
    Write(Box<dyn Write>),
    /// A question that only the engine's thread can answer, outside of a turn: of what it
    /// holds in memory. What is stored is read elsewhere, and guests are asked elsewhere.
    Question(Question),
    /// A worker outside of the engine asks for work, and can wait for it.
    Claim(ClaimRequest, ClaimCaller),
    /// A group of workers joins.
    Join(WorkerGroup),
    /// Something may have changed: the store's file, or the clock.
    Notify,
    /// An attempt was dropped before it answered.
    Dropped(ClaimId),
    /// The engine is to come to its end.
    Close(Closing),
}

/// A question, which is asked once.
pub(crate) type Question = Box<dyn FnOnce(&mut Core) + Send>;

/// How the engine is to come to its end.
pub(crate) struct Closing {
    /// Whether the engine waits for workers that are running; otherwise they are
    /// stopped, and give their work back.
    pub(crate) drain: bool,
    /// Notified at the very end.
    pub(crate) done: oneshot::Sender<()>,
}

/// A [`Write`] with its answer and the caller that waits for it.
struct Asked<T, F> {
    run: F,
    answer: Option<Result<T, EngineError>>,
    caller: oneshot::Sender<Result<T, EngineError>>,
    /// The caller counts until this is answered, even if it has gone away.
    counted: Caller,
}

impl<T, F> Write for Asked<T, F>
where
    T: Send,
    F: FnMut(&mut OpenTurn<'_>) -> Result<T, EngineError> + Send,
{
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
        match (self.run)(turn) {
            Err(error) if error.is_of_the_store() => Err(error),
            answer => {
                self.answer = Some(answer);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>, failed: Option<&EngineError>) -> Option<Again> {
        let Self {
            answer,
            caller,
            counted,
            ..
        } = *self;
        let answer = match (failed, answer) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(answer)) => answer,
            (None, None) => Err(EngineError::ShutDown),
        };
        // A caller that is answered counts no longer.
        drop(counted);
        // A caller that has gone away does not want to know.
        let _ = caller.send(answer);
        None
    }
}

/// The callers' end of an engine's inbox. Clones lead to the same engine.
#[derive(Clone)]
pub(crate) struct Inbox {
    to: Sender<Message>,
    /// Why the engine has come to its end; `None` while it has not.
    end: watch::Receiver<Option<EngineError>>,
    within: Within,
    closing: ClosingFlag,
    callers: Callers,
}

/// The engine's end of an [`Inbox`].
pub(crate) struct InboxReceiver {
    pub(crate) messages: Receiver<Message>,
    pub(crate) end: watch::Sender<Option<EngineError>>,
}

impl Inbox {
    /// The inbox of an engine that is yet to be, and its other end. So many callers
    /// may wait at once.
    pub(crate) fn new(callers_max: CallersMax) -> (Self, InboxReceiver) {
        let (to, messages) = mpsc::channel();
        let (sender, end) = watch::channel(None);
        let within = Within::new();
        let receiver = InboxReceiver {
            messages,
            end: sender,
        };
        let inbox = Self {
            to,
            end,
            within,
            closing: ClosingFlag::default(),
            callers: Callers::new(callers_max),
        };
        (inbox, receiver)
    }

    /// Has this done within a turn, and waits until the turn is written.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut OpenTurn<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.write_large(0, run).await
    }

    /// The same, of a caller that brings so many bytes.
    pub(crate) async fn write_large<T: Send + 'static>(
        &self,
        bytes: usize,
        run: impl FnMut(&mut OpenTurn<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let counted = self.enter(bytes)?;
        let (caller, answer) = oneshot::channel();
        self.send(Message::Write(Box::new(Asked {
            run,
            answer: None,
            caller,
            counted,
        })))?;
        self.answered(answer).await
    }

    /// Has this question answered by the engine's thread, outside of a turn.
    pub(crate) async fn question<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Core) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let counted = self.enter(0)?;
        let (caller, answer) = oneshot::channel();
        self.send(Message::Question(Box::new(move |core| {
            let answer = run(core);
            drop(counted);
            // A caller that has gone away does not want to know.
            let _ = caller.send(answer);
        })))?;
        self.answered(answer).await
    }

    /// One more caller waits, of an engine that has not come to its end. It brings so
    /// many bytes.
    pub(crate) fn enter(&self, bytes: usize) -> Result<Caller, EngineError> {
        // An engine that was dropped has said nothing.
        if self.end.has_changed().is_err() || self.end.borrow().is_some() {
            return Err(why(&self.end.borrow()));
        }
        self.callers.enter(bytes)
    }

    /// Asks for work, and waits for it.
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, EngineError> {
        let counted = self.enter(request.bytes())?;
        let (to, answer) = oneshot::channel();
        self.send(Message::Claim(request, ClaimCaller { to, counted }))?;
        self.answered(answer).await
    }

    /// Waits for the answer. If the engine ends before it gives one, the error says why
    /// it ended.
    pub(crate) async fn answered<T>(
        &self,
        answer: impl Future<Output = Result<Result<T, EngineError>, RecvError>>,
    ) -> Result<T, EngineError> {
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.ended().await),
        }
    }

    /// Puts this message into the inbox.
    pub(crate) fn send(&self, message: Message) -> Result<(), EngineError> {
        if let Message::Close(_) = &message {
            self.closing.ask();
        }
        self.to.send(message).map_err(|_| why(&self.end.borrow()))
    }

    /// The flag that says whether the engine was asked to close and has not taken the
    /// message yet.
    pub(crate) fn closing(&self) -> ClosingFlag {
        self.closing.clone()
    }

    /// Waits for the engine's end, and says why it ended.
    pub(crate) async fn ended(&self) -> EngineError {
        let mut end = self.end.clone();
        // An engine that is dropped without an error has been shut down.
        let ended = end.wait_for(Option::is_some).await;
        ended.map_or(EngineError::ShutDown, |end| why(&end))
    }

    /// Marks this engine's own workers.
    pub(crate) fn within(&self) -> Within {
        self.within
    }
}

impl Deliver for Inbox {
    fn deliver(
        &self,
        claim: ClaimId,
        outcome: Result<Answer, WorkError>,
        said: Arc<[OutputPiece]>,
    ) {
        // If the engine is gone, no caller waits for the answer.
        let delivery = Delivery::new(claim, outcome, said);
        let _ = self.send(Message::Write(Box::new(delivery)));
    }

    fn said(&self, claim: ClaimId, pieces: Arc<[OutputPiece]>) {
        // If the engine is gone, what is missing shows as a gap.
        let _ = self.send(Message::Write(Box::new(SaidMeanwhile { claim, pieces })));
    }

    fn dropped(&self, claim: ClaimId) {
        // If the engine is gone, it has nothing left to give up.
        let _ = self.send(Message::Dropped(claim));
    }
}

fn why(end: &Option<EngineError>) -> EngineError {
    end.clone().unwrap_or(EngineError::ShutDown)
}
