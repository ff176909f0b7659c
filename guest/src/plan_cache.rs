//! Parsed workflows, by the digest of their text.
//!
//! A cache, shared by all executions of a workflow. One that no execution needs
//! any longer is kept for a while, so that executions which come one after
//! another do not parse their workflow each.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use crate::contract::Fault;
use crate::digest::digest_of_text;
use crate::limits::PLANS_KEPT_MAX;
use crate::workflow::{self, Plan};

/// The parsed workflows at hand.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    by_digest: BTreeMap<String, Weak<Plan>>,
    /// The length at which names of dropped plans are looked for.
    swept_at: usize,
    /// The last ones that were asked for, the newest last.
    recent: Vec<Arc<Plan>>,
}

impl PlanCache {
    pub(crate) const fn new() -> Self {
        Self {
            by_digest: BTreeMap::new(),
            swept_at: 0,
            recent: Vec::new(),
        }
    }

    /// The plan that was parsed from the text with this digest, if it is at
    /// hand.
    pub(crate) fn get(&mut self, digest: &str) -> Option<Arc<Plan>> {
        let plan = self.by_digest.get(digest)?.upgrade()?;
        self.keep_recent(&plan);
        Some(plan)
    }

    /// Parse a workflow's text: the plan, and the digest of the text.
    ///
    /// # Errors
    /// All its faults.
    pub(crate) fn parse(&mut self, text: &str) -> Result<(Arc<Plan>, String), Vec<Fault>> {
        let digest = digest_of_text(text);
        if let Some(plan) = self.get(&digest) {
            return Ok((plan, digest));
        }
        let plan = Arc::new(workflow::parse_registered(text)?);
        self.sweep();
        self.by_digest.insert(digest.clone(), Arc::downgrade(&plan));
        self.keep_recent(&plan);
        Ok((plan, digest))
    }

    /// Removes the names of dropped plans, once they may be half of the map.
    fn sweep(&mut self) {
        if self.by_digest.len() < self.swept_at {
            return;
        }
        self.by_digest.retain(|_, plan| plan.strong_count() > 0);
        self.swept_at = 2 * (self.by_digest.len() + PLANS_KEPT_MAX);
    }

    fn keep_recent(&mut self, plan: &Arc<Plan>) {
        self.recent.retain(|recent| !Arc::ptr_eq(recent, plan));
        if self.recent.len() == PLANS_KEPT_MAX {
            self.recent.remove(0);
        }
        self.recent.push(plan.clone());
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
        let mut plans = PlanCache::new();
        let (used, of_used) = plans.parse(&text(0)).expect("valid");
        let (first, of_first) = plans.parse(&text(1)).expect("valid");
        drop(first);
        for id in 2..=PLANS_KEPT_MAX {
            plans.parse(&text(id)).expect("valid");
        }
        assert!(plans.get(&of_first).is_some());
        for id in 2..=PLANS_KEPT_MAX + 1 {
            plans.parse(&text(id)).expect("valid");
        }
        assert!(plans.get(&of_first).is_none());
        let known = plans.get(&of_used).expect("it is in use");
        assert!(Arc::ptr_eq(&known, &used));
    }

    #[test]
    fn names_of_what_is_gone_do_not_pile_up() {
        let mut plans = PlanCache::new();
        for id in 0..20 * PLANS_KEPT_MAX {
            plans.parse(&text(id)).expect("valid");
            assert!(
                plans.by_digest.len() <= 2 * 2 * PLANS_KEPT_MAX,
                "after {id}"
            );
        }
    }
}
