//! What workflows let be ordered, prepared once for each workflow and kept.
//!
//! Each user of the cache names a workflow by what is unmistakable there: an engine
//! by id and version, because a registered workflow is immutable (the cache is
//! dropped when the store may be another, or did not commit what was
//! registered); an audit, which may read from anywhere, by the digest of the
//! text.

use std::collections::HashMap;
use std::sync::Arc;

use super::OrderRules;
use crate::limits::ORDER_RULES_BYTES_MAX;

/// The rules of the workflows that were ordered from last.
#[derive(Debug, Default)]
pub(crate) struct RulesCache {
    /// By both parts of the name: so nothing is allocated to find them.
    rules: HashMap<String, HashMap<String, Arc<OrderRules>>>,
    bytes: usize,
}

impl RulesCache {
    /// The rules of the workflow with this name, if they are at hand.
    pub(crate) fn known(&self, name: (&str, &str)) -> Option<Arc<OrderRules>> {
        self.rules.get(name.0)?.get(name.1).cloned()
    }

    /// Keep the rules of the workflow with this name.
    pub(crate) fn keep(&mut self, name: (&str, &str), rules: OrderRules) -> Arc<OrderRules> {
        // They are quickly made anew, so that no order of use is kept.
        if self.bytes + rules.bytes() > ORDER_RULES_BYTES_MAX {
            self.clear();
        }
        self.bytes += rules.bytes();
        let rules = Arc::new(rules);
        self.rules
            .entry(name.0.to_owned())
            .or_default()
            .insert(name.1.to_owned(), Arc::clone(&rules));
        rules
    }

    /// Drop them all.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.bytes = 0;
    }
}
