//! Workers outside of the engines: what they hold, and what they gave for it.

use refrain::{Claim, ClaimId};

use super::calls::Given;

/// Claims that are remembered; older ones are forgotten, as by workers that died.
const HELD_MAX: usize = 48;

/// A claim that an outside worker was given.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The claim.
    pub(super) claim: Claim,
    /// What was sent for it, whatever came of that.
    pub(super) sent: Vec<Given>,
    /// What the worker was told that counts.
    pub(super) settled: Option<Given>,
}

/// All that outside workers hold, the newest last.
#[derive(Debug, Default)]
pub(super) struct Outside {
    held: Vec<Held>,
}

impl Outside {
    /// A claim was given. Says whether it was given before.
    pub(super) fn take(&mut self, claim: Claim) -> bool {
        if let Some(held) = self.of(&claim.id) {
            held.claim = claim;
            return true;
        }
        self.held.push(Held {
            claim,
            sent: Vec::new(),
            settled: None,
        });
        if self.held.len() > HELD_MAX {
            self.held.remove(0);
        }
        false
    }

    /// How many claims are remembered.
    pub(super) fn len(&self) -> u64 {
        self.held.len() as u64
    }

    /// The claim at this place.
    pub(super) fn at(&mut self, place: u64) -> Option<&mut Held> {
        self.held.get_mut(usize::try_from(place).ok()?)
    }

    /// This claim, if it is remembered.
    pub(super) fn of(&mut self, claim: &ClaimId) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.claim.id == *claim)
    }

    /// Whether the node of this claim was claimed anew.
    pub(super) fn is_old(&self, claim: &ClaimId) -> bool {
        self.held.iter().any(|held| {
            held.claim.id.execution == claim.execution
                && held.claim.id.node_id == claim.node_id
                && held.claim.id.fence > claim.fence
        })
    }

    /// The worker at this place dies, and what it held with it.
    pub(super) fn die(&mut self, place: u64) {
        if let Ok(place) = usize::try_from(place)
            && place < self.held.len()
        {
            self.held.remove(place);
        }
    }
}
