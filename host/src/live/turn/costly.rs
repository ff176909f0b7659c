//! Executions whose calls cost much come after the others, with all writes to them:
//! so an execution with hundreds of costly facts does not keep a fact of another one
//! waiting for hundreds of calls.
//!
//! This is kept in memory alone, because it decides nothing but the order in which
//! executions are served.

use hashlink::LinkedHashMap;

use crate::id::ExecutionId;
use crate::limits::{
    CALLS_TO_BE_CHEAP_AGAIN, COSTLY_CALL_FUEL, COSTLY_EXECUTIONS_MAX, FUEL_PER_CALL,
    FUEL_PER_ITEM_PASSED,
};

/// Executions of which a call was costly lately, the one of longest ago first.
#[derive(Debug, Default)]
pub(crate) struct Costly {
    /// The number of cheap calls after which each is like the others again.
    cheap_calls_left: LinkedHashMap<ExecutionId, u32>,
    /// Fuel that calls about them have burnt, and that was not spent on looking past their
    /// items.
    looks_left: u64,
}

impl Costly {
    /// A call about this execution, which offered so many facts, burnt this much fuel. A
    /// thousand claims in one call cost no more than each of them alone.
    pub(in crate::live) fn called(&mut self, id: ExecutionId, fuel: u64, facts: u64) {
        if fuel / facts.max(1) >= COSTLY_CALL_FUEL {
            self.looks_left = self.looks_left.saturating_add(fuel).min(FUEL_PER_CALL);
            self.cheap_calls_left.insert(id, CALLS_TO_BE_CHEAP_AGAIN);
            if self.cheap_calls_left.len() > COSTLY_EXECUTIONS_MAX {
                self.cheap_calls_left.pop_front();
            }
        } else if !self.cheap_calls_left.is_empty()
            && let Some(left) = self.cheap_calls_left.get_mut(&id)
        {
            self.looks_left = self.looks_left.saturating_add(fuel).min(FUEL_PER_CALL);
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

    /// Whether this many further items of a queue may be read, only to find those of other
    /// executions behind theirs. It costs a part of what their calls cost, however many items
    /// they have; and who is behind them is found the sooner, the more their calls cost.
    pub(in crate::live) fn may_look_past(&mut self, items: usize) -> bool {
        let fuel = FUEL_PER_ITEM_PASSED.saturating_mul(items as u64);
        let left = self.looks_left.checked_sub(fuel);
        self.looks_left = left.unwrap_or(self.looks_left);
        left.is_some()
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
        costly.called(one, COSTLY_CALL_FUEL - 1, 0);
        costly.called(one, 3 * COSTLY_CALL_FUEL - 1, 3);
        assert!(!costly.contains(one));
        costly.called(one, 3 * COSTLY_CALL_FUEL, 3);
        for _ in 0..CALLS_TO_BE_CHEAP_AGAIN {
            assert!(costly.contains(one) && !costly.contains(other));
            costly.called(other, 1, 1);
            costly.called(one, 1, 1);
        }
        assert!(!costly.contains(one));
        for _ in 0..=COSTLY_EXECUTIONS_MAX {
            costly.called(ExecutionId::random(), COSTLY_CALL_FUEL, 1);
        }
        assert_eq!(costly.cheap_calls_left.len(), COSTLY_EXECUTIONS_MAX);
    }
}
