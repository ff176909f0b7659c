//! How many callers wait for an engine at once, and how much they bring.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{EngineError, Overload};

/// The callers that wait for an engine. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Callers(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    max: CallersMax,
}

/// How many callers may wait at once, and how many bytes they may bring together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallersMax {
    pub(crate) callers: usize,
    pub(crate) bytes: usize,
}

/// A caller that waits. It no longer counts when this is dropped.
#[derive(Debug)]
pub(crate) struct Caller {
    all: Arc<Counted>,
    bytes: usize,
}

impl Callers {
    /// No caller yet, and at most so many.
    pub(crate) fn new(max: CallersMax) -> Self {
        Self(Arc::new(Counted {
            waiting: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            max,
        }))
    }

    /// One more caller waits, which brings so many bytes. One that brings more than there
    /// may be is let in while no other brings anything, so that other checks refuse it as
    /// too large: to try again would never help it. One that brings nothing is not kept
    /// out by what others bring.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], if there are as many as there may be.
    pub(crate) fn enter(&self, bytes: usize) -> Result<Caller, EngineError> {
        let max = self.0.max;
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let one_more = |waiting: usize| (waiting < max.callers).then_some(waiting + 1);
        let entered = self.0.waiting.fetch_update(success, failure, one_more);
        entered.map_err(|waiting| Overload::Callers { waiting })?;
        // From here on it is counted, and no longer when it is dropped.
        let mut caller = Caller {
            all: Arc::clone(&self.0),
            bytes: 0,
        };
        let more = |waiting: usize| {
            let all = waiting.saturating_add(bytes);
            (bytes == 0 || waiting == 0 || all <= max.bytes).then_some(all)
        };
        let entered = self.0.bytes.fetch_update(success, failure, more);
        entered.map_err(|waiting| Overload::Bytes { waiting })?;
        caller.bytes = bytes;
        Ok(caller)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.all.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.all.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_most(callers: usize, bytes: usize) -> Callers {
        Callers::new(CallersMax { callers, bytes })
    }

    #[track_caller]
    fn is_refused(entered: Result<Caller, EngineError>, why: Overload) {
        let refused = entered.expect_err("there is no room");
        assert!(
            matches!(refused, EngineError::Overloaded(overload) if overload == why),
            "{refused:?}"
        );
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let callers = at_most(2, 100);
        let first = callers.enter(0).unwrap();
        let _second = callers.enter(0).unwrap();
        for _ in 0..2 {
            is_refused(callers.enter(0), Overload::Callers { waiting: 2 });
        }
        drop(first);
        let _third = callers.enter(0).unwrap();
        callers.enter(0).unwrap_err();
    }

    #[test]
    fn they_bring_so_much_and_no_more() {
        let callers = at_most(3, 100);
        let first = callers.enter(60).unwrap();
        let second = callers.enter(40).unwrap();
        is_refused(callers.enter(1), Overload::Bytes { waiting: 100 });
        // A refused caller does not count, and one that brings nothing may come.
        let third = callers.enter(0).unwrap();
        is_refused(callers.enter(0), Overload::Callers { waiting: 3 });
        drop((first, third));
        is_refused(callers.enter(61), Overload::Bytes { waiting: 40 });
        let _fourth = callers.enter(60).unwrap();
        drop(second);
    }

    #[test]
    fn who_brings_more_than_there_may_be_comes_alone() {
        let callers = at_most(3, 100);
        let large = callers.enter(101).unwrap();
        is_refused(callers.enter(1), Overload::Bytes { waiting: 101 });
        let renewal = callers.enter(0).unwrap();
        drop((large, renewal));
        let _small = callers.enter(1).unwrap();
        is_refused(callers.enter(101), Overload::Bytes { waiting: 1 });
    }
}
