//! What becomes of a map, by what has become of its instances (rule R21).

use crate::agenda::MapAgenda;
use crate::contract::NodeState;
use crate::limits::STATE_BYTES_MAX;
use crate::node::is_settled;
use crate::state::{Instances, NodeRecord};
use crate::workflow::plan::Map;

/// What becomes of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It completes with the list of outputs; if that has room in the state.
    Complete,
    /// Too many instances have failed.
    TooManyFailed,
    /// The outputs alone are larger, or deeper, than a state may be.
    TooLarge,
}

/// What has to become of an expanded map now. `None` if that is still open.
pub(crate) fn verdict(map: &Map, instances: &Instances, agenda: &MapAgenda) -> Option<Verdict> {
    let count = instances.count();
    if map.tolerance.is_exceeded(agenda.failed, count) {
        return Some(Verdict::TooManyFailed);
    }
    if instances.is_too_deep || instances.output_bytes > STATE_BYTES_MAX as u64 {
        return Some(Verdict::TooLarge);
    }
    let well = agenda.completed + agenda.skipped;
    let is_enough = map.complete_after.is_some_and(|enough| well >= enough);
    (is_enough || well + agenda.failed == count).then_some(Verdict::Complete)
}

/// Whether what is under way of a map with this record has to be stopped: the map is
/// settled, and it did not complete or `cancel_rest` says so.
pub(crate) fn stops_rest(map: &Map, record: &NodeRecord) -> bool {
    is_settled(record.state) && (record.state != NodeState::Completed || map.cancel_rest)
}
