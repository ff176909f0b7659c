//! Readers of an engine's store, for what its callers ask. The engine's thread has no
//! part in it: a long answer keeps no turn waiting, and a long turn no answer.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::EngineError;
use crate::limits::READERS_MAX;
use crate::store::{Reader, StoreError, at_one_moment};

/// The readers of an engine.
pub(in crate::live) struct Readers {
    pool: Mutex<Pool>,
    given_back: Condvar,
    /// One for each reader that may be at work for what is only read.
    permits: Arc<Semaphore>,
    /// Whether questions are answered at once, in the caller's thread: those of an
    /// engine that is stepped, of which nothing may happen by itself.
    at_once: bool,
}

struct Pool {
    /// The reader that further ones are made from; `None` once the engine has come to
    /// its end.
    first: Option<Box<dyn Reader>>,
    idle: Vec<Box<dyn Reader>>,
    at_work: usize,
}

impl Readers {
    pub(in crate::live) fn new(first: Box<dyn Reader>, at_once: bool) -> Self {
        Self {
            pool: Mutex::new(Pool {
                first: Some(first),
                idle: Vec::new(),
                at_work: 0,
            }),
            given_back: Condvar::new(),
            permits: Arc::new(Semaphore::new(READERS_MAX)),
            at_once,
        }
    }

    /// Asks the store, as it is at one moment. `None` if the engine has come to its end.
    ///
    /// The answer holds all that was acknowledged before.
    pub(in crate::live) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&mut dyn Reader) -> Result<T, EngineError> + Send + 'static,
    ) -> Option<Result<T, EngineError>> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        self.lend(move |mut reader| {
            let answer = at_one_moment(reader.as_mut(), question);
            // It counts until it is answered, whether or not somebody still waits for that.
            drop(permit);
            (reader, answer)
        })
        .await
    }

    /// Lends a reader for a question, whose caller bounds how many there are at once.
    /// `None` if the engine has come to its end.
    pub(in crate::live) async fn lend<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(Box<dyn Reader>) -> (Box<dyn Reader>, Result<T, EngineError>)
        + Send
        + 'static,
    ) -> Option<Result<T, EngineError>> {
        let runtime = Handle::try_current().ok().filter(|_| !self.at_once);
        let Some(runtime) = runtime else {
            return self.answer(question);
        };
        let readers = Arc::clone(self);
        match runtime
            .spawn_blocking(move || readers.answer(question))
            .await
        {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => Some(Err(StoreError::Io {
                place: "the store".to_owned(),
                detail: "it panicked while it was read".to_owned(),
            }
            .into())),
            // The caller's runtime is shut down, and the caller with it.
            Err(_) => None,
        }
    }

    fn answer<T>(
        &self,
        question: impl FnOnce(Box<dyn Reader>) -> (Box<dyn Reader>, Result<T, EngineError>),
    ) -> Option<Result<T, EngineError>> {
        let mut taken = match self.take()? {
            Ok(taken) => taken,
            Err(error) => return Some(Err(error.into())),
        };
        let (reader, answer) = question(taken.reader.take()?);
        // A reader that failed as a whole is not used again.
        if !matches!(&answer, Err(error) if error.is_of_the_store()) {
            taken.reader = Some(reader);
        }
        Some(answer)
    }

    fn take(&self) -> Option<Result<Taken<'_>, StoreError>> {
        let mut guard = self.pool();
        let pool = &mut *guard;
        let first = pool.first.as_ref()?;
        let reader = match pool.idle.pop() {
            Some(reader) => reader,
            None => match first.reader() {
                Ok(reader) => reader,
                Err(error) => return Some(Err(error)),
            },
        };
        pool.at_work += 1;
        Some(Ok(Taken {
            readers: self,
            reader: Some(reader),
        }))
    }

    /// Closes all readers, and waits for those that are at work: a caller that waits for the
    /// engine's end may move the store then.
    pub(in crate::live) fn close(&self) {
        self.permits.close();
        let mut pool = self.pool();
        pool.first = None;
        pool.idle.clear();
        let all_back = self
            .given_back
            .wait_while(pool, |pool| pool.at_work > 0)
            .unwrap_or_else(PoisonError::into_inner);
        drop(all_back);
    }

    /// A panic leaves the pool whole: nothing that panics is called while it is changed.
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader that is at work. It goes back to the others, unless it is to be closed.
struct Taken<'a> {
    readers: &'a Readers,
    reader: Option<Box<dyn Reader>>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool();
        match self.reader.take() {
            Some(reader) if pool.first.is_some() => pool.idle.push(reader),
            // It is closed before anyone hears that it is back.
            reader => drop(reader),
        }
        pool.at_work -= 1;
        self.readers.given_back.notify_all();
    }
}
