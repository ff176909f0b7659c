//! The claims of one turn: how many are left, and what became of those of own
//! workers.

use std::collections::{BTreeMap, BTreeSet};

use super::slots::Slots;
use super::stored_queues::StoredQueues;
use super::waiting_claims::Ticket;
use crate::live::values::work::{Claim, ClaimId};
use crate::live::workers::Pool;
use crate::store::Timestamp;

/// The claims of one turn.
pub(crate) struct TurnClaims {
    /// The slots of the engine's own workers.
    pub(in crate::live) slots: Slots,
    /// Queues of which the store has no further item to claim in this turn.
    pub(in crate::live) drained_queues: BTreeSet<String>,
    /// What was read of the store's queues in this turn.
    pub(in crate::live) stored_queues: StoredQueues,
    /// Claims of own workers whose leases were renewed, and until when.
    pub(in crate::live) renewed: Vec<(ClaimId, Timestamp)>,
    /// How many more own workers may claim.
    pub(in crate::live) own_left: usize,
    /// How many more workers outside of the engine may claim. They have a number
    /// of their own, so that they take nothing from the engine's workers.
    pub(in crate::live) outside_left: usize,
    /// Whether the claims of own workers were cut off.
    pub(in crate::live) own_cut: bool,
    /// What requests that wait for work have claimed.
    pub(in crate::live) served: BTreeMap<Ticket, Vec<Claim>>,
    /// What requests had claimed before, and are given again.
    pub(in crate::live) repeated: BTreeMap<Ticket, Vec<Claim>>,
}

impl TurnClaims {
    /// A turn begins, with room for `max` claims.
    pub(in crate::live) fn new(pool: &Pool, max: usize) -> Self {
        Self {
            slots: Slots::of(pool),
            drained_queues: BTreeSet::new(),
            stored_queues: StoredQueues::default(),
            renewed: Vec::new(),
            own_left: max,
            outside_left: max,
            own_cut: false,
            served: BTreeMap::new(),
            repeated: BTreeMap::new(),
        }
    }
}
