//! Laws 7 and 8 together: work runs at least once, its result counts once.

use std::collections::{BTreeMap, BTreeSet};

use refrain::model::EventKind;
use serde_json::value::RawValue;

use super::fenced::answer;
use super::{Account, Evidence, Law, Receipt, Violation};

/// No node completes twice, no claim is answered twice, no worker is told
/// twice that its answer is new, and the final state is the merge of all
/// patches, each once.
///
/// # Errors
/// The first result that counts twice, or not.
pub fn each_result_counts_once(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        no_repetition(account)?;
        final_state(account)?;
    }
    told_once(evidence)
}

fn no_repetition(account: &Account) -> Result<(), Violation> {
    let mut completed = BTreeSet::new();
    let mut answered = BTreeSet::new();
    for event in account.log() {
        let twice = |what: String| {
            Err(Violation::at(
                Law::CountedOnce,
                account.record.id,
                event.sequence,
                what,
            ))
        };
        if let Some((node, attempt, fence)) = answer(&event.kind)
            && !answered.insert(fence)
        {
            return twice(format!(
                "attempt {attempt} of node {node:?} is answered a second time by the claim with fence {fence}"
            ));
        }
        if let EventKind::NodeCompleted(it) = &event.kind
            && !completed.insert(&it.node_id)
        {
            return twice(format!("node {:?} completes a second time", it.node_id));
        }
    }
    Ok(())
}

fn final_state(account: &Account) -> Result<(), Violation> {
    for event in account.log() {
        let EventKind::WorkflowCompleted(it) = &event.kind else {
            continue;
        };
        let differs = |message: String| {
            Err(Violation::at(
                Law::CountedOnce,
                account.record.id,
                event.sequence,
                message,
            ))
        };
        let state: BTreeMap<String, Box<RawValue>> = match serde_json::from_str(&it.final_state) {
            Ok(state) => state,
            Err(error) => return differs(format!("the final state is no object: {error}")),
        };
        let merged = &account.fold.state;
        let same = state.len() == merged.len()
            && state
                .iter()
                .all(|(key, value)| merged.get(key).is_some_and(|merged| merged == value.get()));
        if !same {
            return differs(format!(
                "the final state is {}, and the patches merge to {merged:?}",
                it.final_state
            ));
        }
    }
    Ok(())
}

fn told_once(evidence: &Evidence<'_>) -> Result<(), Violation> {
    let mut recorded = BTreeSet::new();
    for (claim, _, receipt) in evidence.told.answers() {
        if receipt == Receipt::Recorded && !recorded.insert(claim) {
            let message = format!(
                "two answers for node {:?} with fence {} were told that they are recorded",
                claim.node_id, claim.fence
            );
            return Err(Violation::of(Law::CountedOnce, claim.execution, message));
        }
    }
    Ok(())
}
