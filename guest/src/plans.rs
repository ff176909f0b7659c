//! Parsed workflows, by the digest of their text.
//!
//! A cache, shared by all executions of a workflow. One that no execution needs
//! any longer is kept for a while, so that executions which come one after
//! another do not parse their workflow each.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use crate::apply::digest_of_text;
use crate::contract::Fault;
use crate::limits::PLANS_KEPT_MAX;
use crate::workflow::{self, Plan};

/// The workflows at hand.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    known: BTreeMap<String, Weak<Plan>>,
    /// How many may be known before those that are gone are looked for.
    swept_at: usize,
    /// The last ones that were asked for, the newest last.
    kept: Vec<Arc<Plan>>,
}

impl Plans {
    pub(crate) const fn new() -> Self {
        Self {
            known: BTreeMap::new(),
            swept_at: 0,
            kept: Vec::new(),
        }
    }

    /// The plan that was parsed from the text with this digest, if it is at
    /// hand.
    pub(crate) fn known(&mut self, digest: &str) -> Option<Arc<Plan>> {
        let plan = self.known.get(digest)?.upgrade()?;
        self.keep(&plan);
        Some(plan)
    }

    /// Parse a workflow's text: the plan, and the digest of the text.
    ///
    /// # Errors
    /// All its faults.
    pub(crate) fn parse(&mut self, text: &str) -> Result<(Arc<Plan>, String), Vec<Fault>> {
        let digest = digest_of_text(text);
        if let Some(plan) = self.known(&digest) {
            return Ok((plan, digest));
        }
        let plan = Arc::new(workflow::parse(text)?);
        self.sweep();
        self.known.insert(digest.clone(), Arc::downgrade(&plan));
        self.keep(&plan);
        Ok((plan, digest))
    }

    /// Forget the names of plans that are gone, once they may be the half.
    fn sweep(&mut self) {
        if self.known.len() < self.swept_at {
            return;
        }
        self.known.retain(|_, plan| plan.strong_count() > 0);
        self.swept_at = 2 * (self.known.len() + PLANS_KEPT_MAX);
    }

    fn keep(&mut self, plan: &Arc<Plan>) {
        self.kept.retain(|kept| !Arc::ptr_eq(kept, plan));
        if self.kept.len() == PLANS_KEPT_MAX {
            self.kept.remove(0);
        }
        self.kept.push(plan.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn text(id: usize) -> String {
        format!(
            r#"{{"workflow_id":"w{id}","version":"1.0.0","start_node":"a",
                "nodes":{{"a":{{"id":"a","kind":{{"type":"parallel","branches":[]}}}}}},"edges":[]}}"#
        )
    }

    #[test]
    fn the_last_ones_are_kept_and_those_in_use() {
        let mut plans = Plans::new();
        let (used, of_used) = plans.parse(&text(0)).expect("valid");
        let (first, of_first) = plans.parse(&text(1)).expect("valid");
        drop(first);
        for id in 2..=PLANS_KEPT_MAX {
            plans.parse(&text(id)).expect("valid");
        }
        assert!(plans.known(&of_first).is_some());
        for id in 2..=PLANS_KEPT_MAX + 1 {
            plans.parse(&text(id)).expect("valid");
        }
        assert!(plans.known(&of_first).is_none());
        let known = plans.known(&of_used).expect("it is in use");
        assert!(Arc::ptr_eq(&known, &used));
    }

    #[test]
    fn names_of_what_is_gone_do_not_pile_up() {
        let mut plans = Plans::new();
        for id in 0..20 * PLANS_KEPT_MAX {
            plans.parse(&text(id)).expect("valid");
            assert!(plans.known.len() <= 2 * 2 * PLANS_KEPT_MAX, "after {id}");
        }
    }
}
