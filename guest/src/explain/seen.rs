//! What conditions saw when they were judged.
//!
//! An execution does not keep that: the log is read once more for it, up to where
//! each edge was judged.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::condition::Expression;
use crate::contract::{Seen as SeenAt, SeenValue};
use crate::limits::{SEEN_BYTES_MAX, SEEN_PATHS_MAX};
use crate::machine::Machine;
use crate::workflow::plan::EdgeIx;

/// What the conditions of some edges saw.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<EdgeIx, Vec<SeenValue>>);

impl Seen {
    pub(super) fn at(&self, edge: EdgeIx) -> Vec<SeenValue> {
        self.0.get(&edge).cloned().unwrap_or_default()
    }

    /// Note what this condition sees now, as the edge is judged.
    pub(crate) fn note(&mut self, machine: &Machine, edge: EdgeIx, condition: &Expression) {
        let source = machine.plan.edges[edge.0 as usize].from;
        let error = machine.error(source);
        let scope = match &error {
            Some(error) => machine.scope().with_error(error),
            None => machine.scope(),
        };
        let values = condition.seen(&scope).into_iter();
        let values = values.take(SEEN_PATHS_MAX).map(|(path, value)| SeenValue {
            path,
            value: match value {
                None => SeenAt::Missing,
                Some(json) if json.len() > SEEN_BYTES_MAX => SeenAt::TooLong(json.len() as u64),
                Some(json) => SeenAt::Value(json),
            },
        });
        self.0.insert(edge, values.collect());
    }
}
