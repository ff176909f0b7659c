//! Questions to guests about what is stored, in the threads of the readers and not in the
//! engine's: no turn waits for an answer, and no answer for a turn.
//!
//! ```text
//! a question   a place; a reader; guests that no other question uses meanwhile
//! ```
//!
//! An answer is of one moment of the store, and holds all that was acknowledged before.
//! A guest that traps or loops costs a place for as long as its fuel lasts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::EngineError;
use crate::guest::{CallError, Instance, Library};
use crate::id::ExecutionId;
use crate::live::execution::ports::CallPorts;
use crate::live::turn::engine_time::EngineTime;
use crate::live::values::random::Salts;
use crate::live::values::workflow::Workflow;
use crate::model::WorkflowSummary;
use crate::store::Reader;

use super::asked_guests::{Asked, AskedGuests};
use super::places::{Place, Places};
use super::readers::Readers;

/// The guests of an engine that answer questions.
pub(in crate::live) struct Questions {
    readers: Arc<Readers>,
    places: Places,
    pool: Mutex<Pool>,
    /// What time it is by the logs, as far as questions have looked.
    time: Mutex<EngineTime>,
    own: Arc<str>,
    salts: Salts,
}

struct Pool {
    /// Guests at rest; those that were asked last come last.
    idle: Vec<AskedGuests>,
    /// What further ones are made from.
    library: Library,
}

impl Questions {
    /// No guests yet, of this library; `own` is the one that new executions belong to.
    pub(in crate::live) fn new(
        readers: Arc<Readers>,
        library: Library,
        own: Arc<str>,
        time: EngineTime,
        salts: Salts,
    ) -> Self {
        Self {
            readers,
            places: Places::new(),
            pool: Mutex::new(Pool {
                idle: Vec::new(),
                library,
            }),
            time: Mutex::new(time),
            own,
            salts,
        }
    }

    /// Asks the guest of an execution. `None` if the engine has come to its end.
    pub(in crate::live) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        id: ExecutionId,
        call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>)
        + Send
        + 'static,
    ) -> Option<Result<T, EngineError>> {
        let guest = self
            .readers
            .ask(move |store| match store.execution(id)? {
                Some(record) => Ok(record.guest_digest),
                None => Err(EngineError::UnknownExecution(id)),
            })
            .await?;
        let place = match guest {
            Ok(guest) => self.places.take(&guest).await,
            Err(error) => return Some(Err(error)),
        };
        self.answer(
            place.map_err(EngineError::from),
            move |questions, reader| questions.answer_about(id, reader, call),
        )
        .await
    }

    /// Asks the guest that new executions belong to whether a workflow is valid. `None` if
    /// the engine has come to its end.
    pub(in crate::live) async fn validate(
        self: &Arc<Self>,
        workflow: Workflow,
    ) -> Option<Result<WorkflowSummary, EngineError>> {
        let place = self.places.take(&self.own).await;
        self.answer(
            place.map_err(EngineError::from),
            move |questions, reader| {
                let mut guests = questions.take(|_| true);
                let answer = guests.validate(&workflow);
                questions.give_back(guests);
                (reader, answer)
            },
        )
        .await
    }

    /// Has this question answered by a reader's thread. Its place is free when it has
    /// ended, whether or not somebody still waits for the answer.
    async fn answer<T: Send + 'static>(
        self: &Arc<Self>,
        place: Result<Place, EngineError>,
        question: impl FnOnce(&Self, Box<dyn Reader>) -> (Box<dyn Reader>, Result<T, EngineError>)
        + Send
        + 'static,
    ) -> Option<Result<T, EngineError>> {
        let place = match place {
            Ok(place) => place,
            Err(error) => return Some(Err(error)),
        };
        let questions = Arc::clone(self);
        self.readers
            .lend(move |reader| {
                let answered = question(&questions, reader);
                drop(place);
                answered
            })
            .await
    }

    fn answer_about<T>(
        &self,
        id: ExecutionId,
        mut reader: Box<dyn Reader>,
        call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>),
    ) -> (Box<dyn Reader>, Result<T, EngineError>) {
        if let Err(error) = reader.begin_reading() {
            return (reader, Err(error.into()));
        }
        let asked = match self.look(id, reader.as_mut()) {
            Ok(asked) => asked,
            Err(error) => {
                reader.end_reading();
                return (reader, Err(error));
            }
        };
        let mut guests = self.take(|guests| guests.know(id));
        let (mut reader, answer) = guests.ask(reader, asked, call);
        reader.end_reading();
        self.give_back(guests);
        (reader, answer)
    }

    fn look(&self, id: ExecutionId, reader: &mut dyn Reader) -> Result<Asked, EngineError> {
        let record = reader.execution(id)?;
        let record = record.ok_or(EngineError::UnknownExecution(id))?;
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        time.look(reader)?;
        let now = time.glance();
        Ok(Asked { record, now })
    }

    /// Guests that are at rest: the first choice is those that `fit`, then those that were
    /// asked last, then new ones.
    fn take(&self, fit: impl Fn(&AskedGuests) -> bool) -> AskedGuests {
        let mut pool = self.pool();
        let fitting = pool.idle.iter().rposition(fit);
        let idle = match fitting {
            Some(place) => Some(pool.idle.remove(place)),
            None => pool.idle.pop(),
        };
        let library = &pool.library;
        let mut guests = idle.unwrap_or_else(|| {
            AskedGuests::new(library.clone(), Arc::clone(&self.own), self.salts)
        });
        drop(pool);
        let time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        guests.set_time(time.monotonic());
        guests
    }

    fn give_back(&self, guests: AskedGuests) {
        self.pool().idle.push(guests);
    }

    /// A panic leaves the pool whole: nothing that panics is called while it is changed.
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
