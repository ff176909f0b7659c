//! Executions whose calls cost much come after the others, with all writes to them:
//! so an execution with hundreds of costly facts does not keep a fact of another one
//! waiting for hundreds of calls.
//!
//! This is kept in memory alone, because it decides nothing but the order in which
//! executions are served.

use hashlink::LinkedHashMap;

use crate::id::ExecutionId;
use crate::limits::{CALLS_TO_BE_CHEAP_AGAIN, COSTLY_CALL_FUEL, COSTLY_EXECUTIONS_MAX};

/// Executions of which a call was costly lately, the one of longest ago first.
#[derive(Debug, Default)]
pub(crate) struct Costly {
    /// The number of cheap calls after which each is like the others again.
    cheap_calls_left: LinkedHashMap<ExecutionId, u32>,
}

impl Costly {
    /// A call about this execution burnt this much fuel.
    pub(in crate::live) fn called(&mut self, id: ExecutionId, fuel: u64) {
        if fuel >= COSTLY_CALL_FUEL {
            self.cheap_calls_left.insert(id, CALLS_TO_BE_CHEAP_AGAIN);
            if self.cheap_calls_left.len() > COSTLY_EXECUTIONS_MAX {
                self.cheap_calls_left.pop_front();
            }
        } else if !self.cheap_calls_left.is_empty()
            && let Some(left) = self.cheap_calls_left.get_mut(&id)
        {
            *left -= 1;
            if *left == 0 {
                self.cheap_calls_left.remove(&id);
            }
        }
    }

    /// Whether this execution comes after the others.
    pub(in crate::live) fn contains(&self, id: ExecutionId) -> bool {
        !self.cheap_calls_left.is_empty() && self.cheap_calls_left.contains_key(&id)
    }

    /// Whether there is no such execution.
    pub(in crate::live) fn is_empty(&self) -> bool {
        self.cheap_calls_left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_costly_comes_later_until_it_was_cheap_for_a_while() {
        let (one, other) = (ExecutionId::random(), ExecutionId::random());
        let mut costly = Costly::default();
        costly.called(one, COSTLY_CALL_FUEL - 1);
        assert!(!costly.contains(one));
        costly.called(one, COSTLY_CALL_FUEL);
        for _ in 0..CALLS_TO_BE_CHEAP_AGAIN {
            assert!(costly.contains(one) && !costly.contains(other));
            costly.called(other, 1);
            costly.called(one, 1);
        }
        assert!(!costly.contains(one));
        for _ in 0..=COSTLY_EXECUTIONS_MAX {
            costly.called(ExecutionId::random(), COSTLY_CALL_FUEL);
        }
        assert_eq!(costly.cheap_calls_left.len(), COSTLY_EXECUTIONS_MAX);
    }
}
