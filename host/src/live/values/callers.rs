//! How many callers wait for an engine at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::EngineError;

/// The callers that wait for an engine. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Callers(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    waiting: AtomicUsize,
    max: usize,
}

/// A caller that waits. It no longer counts when this is dropped.
#[derive(Debug)]
pub(crate) struct Caller(Arc<Counted>);

impl Callers {
    /// Nobody yet, and at most so many.
    pub(crate) fn new(max: usize) -> Self {
        let waiting = AtomicUsize::new(0);
        Self(Arc::new(Counted { waiting, max }))
    }

    /// One more waits.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], if there are as many as there may be.
    pub(crate) fn enter(&self) -> Result<Caller, EngineError> {
        let max = self.0.max;
        let one_more = |waiting: usize| (waiting < max).then_some(waiting + 1);
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        match self.0.waiting.fetch_update(success, failure, one_more) {
            Ok(_) => Ok(Caller(Arc::clone(&self.0))),
            Err(waiting) => Err(EngineError::Overloaded { waiting }),
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_wait_and_no_more() {
        let callers = Callers::new(2);
        let first = callers.enter().unwrap();
        let _second = callers.enter().unwrap();
        for _ in 0..2 {
            let refused = callers.enter().unwrap_err();
            assert!(
                matches!(refused, EngineError::Overloaded { waiting: 2 }),
                "{refused:?}"
            );
        }
        drop(first);
        let _third = callers.enter().unwrap();
        callers.enter().unwrap_err();
    }
}
