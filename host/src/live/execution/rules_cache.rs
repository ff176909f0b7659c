//! What workflows let be ordered, prepared once for each workflow and kept.
//!
//! A registered workflow is immutable, so its id and version name its rules for
//! as long as the store is the same and what was registered was committed. The
//! cache is dropped when either is in doubt.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::ORDER_RULES_BYTES_MAX;
use crate::order_rules::OrderRules;

/// The rules of the workflows that were ordered from last.
#[derive(Debug, Default)]
pub(crate) struct RulesCache {
    /// By id, then by version: so nothing is allocated to find them.
    rules: HashMap<String, HashMap<String, Arc<OrderRules>>>,
    bytes: usize,
}

impl RulesCache {
    /// The rules of this workflow, if they are at hand.
    pub(crate) fn known(&self, workflow_id: &str, version: &str) -> Option<Arc<OrderRules>> {
        self.rules.get(workflow_id)?.get(version).cloned()
    }

    /// The rules of this workflow, made from its text.
    pub(crate) fn prepare(
        &mut self,
        workflow_id: &str,
        version: &str,
        text: &str,
    ) -> Arc<OrderRules> {
        let rules = Arc::new(OrderRules::of(workflow_id, version, text));
        // They are quickly made anew, so that no order of use is kept.
        if self.bytes + rules.bytes() > ORDER_RULES_BYTES_MAX {
            self.clear();
        }
        self.bytes += rules.bytes();
        self.rules
            .entry(workflow_id.to_owned())
            .or_default()
            .insert(version.to_owned(), Arc::clone(&rules));
        rules
    }

    /// Drop them all.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.bytes = 0;
    }
}
