//! Requests for work that have an id, and what their workers were given.

use std::collections::{BTreeMap, BTreeSet};

use refrain::ClaimId;

/// A worker, and the id of one of its requests.
pub(super) type Request = (String, String);

/// All requests of all workers.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Those that were sent, whatever came of them.
    pub(super) sent: BTreeSet<Request>,
    /// What each was given last.
    given: BTreeMap<Request, Vec<ClaimId>>,
}

impl Requests {
    /// A request is answered with these claims. `holds` says whether a claim holds its
    /// item now: what does not was lost or settled since, and never holds it again.
    ///
    /// Says whether it was a repetition, and given what it held.
    ///
    /// # Errors
    /// How law 7 is broken: a request that holds items is given these, and no others.
    pub(super) fn answered(
        &mut self,
        request: Request,
        claims: Vec<ClaimId>,
        mut holds: impl FnMut(&ClaimId) -> Result<bool, String>,
    ) -> Result<bool, String> {
        let before = self.given.get(&request).cloned().unwrap_or_default();
        for claim in &before {
            if !claims.contains(claim) && holds(claim)? {
                return Err(format!(
                    "law 7: {request:?} holds {claim:?}, and was given {claims:?}"
                ));
            }
        }
        let again = claims.iter().filter(|claim| before.contains(claim)).count();
        if again > 0 && again < claims.len() {
            return Err(format!(
                "law 7: {request:?} was given {before:?}, and then {claims:?}"
            ));
        }
        if again == 0 && !claims.is_empty() {
            self.given.insert(request, claims);
        }
        Ok(again > 0)
    }

    /// Whether this request was given this claim before.
    pub(super) fn was_given(&self, request: &Request, claim: &ClaimId) -> bool {
        let given = self.given.get(request);
        given.is_some_and(|given| given.contains(claim))
    }
}
