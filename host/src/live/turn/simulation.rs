//! Simulated workers: every work item is answered with `{}`, after its node's
//! label `simulate_ms` on a clock that jumps.
//!
//! Several answers go into one turn, so that a large workflow is tried in
//! seconds. The log shows what it would show of quick workers.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{EngineError, WorkError};
use crate::limits::{SIMULATED_CLAIMS_AT_ONCE_MAX, SIMULATED_DELAY_MS_MAX};
use crate::store::Timestamp;

use super::budget::Phase;
use super::claims::Candidate;
use super::open_turn::OpenTurn;
use crate::live::values::work::{Answer, ClaimId};

/// Who simulated workers are in the log.
const WORKER: &str = "simulated";

/// The queues of rule R5.
pub(in crate::live) const QUEUES: [&str; 8] = [
    "command",
    "general",
    "http",
    "java_tool",
    "model",
    "python_tool",
    "retrieval",
    "tool",
];

/// Claims of simulated workers, and when each is to be answered.
pub(crate) type Due = BTreeSet<(Timestamp, ClaimId)>;

/// What the simulated workers are at.
#[derive(Default)]
pub(crate) struct Simulation {
    /// Claims to be answered, as of the last turn that was written.
    pub(crate) due: Due,
    /// How long nodes take, by workflow id and version.
    delays: HashMap<(String, String), HashMap<String, u64>>,
}

impl OpenTurn<'_> {
    /// Simulated workers claim and answer. Says whether they did anything.
    pub(crate) fn simulate(&mut self) -> Result<bool, EngineError> {
        Ok(self.claim_simulated()? | self.answer_simulated()?)
    }

    fn claim_simulated(&mut self) -> Result<bool, EngineError> {
        let mut any = false;
        for queue in QUEUES {
            for candidate in self.candidates(queue, SIMULATED_CLAIMS_AT_ONCE_MAX)? {
                let full = self.facts >= self.core.settings.turn_limits.facts;
                if full || !self.may(Phase::Claims) {
                    self.cut = true;
                    return Ok(any);
                }
                let claimed = self.claim_simulated_item(&candidate);
                let claimed = self.others_go_on(candidate.execution, claimed)?;
                // Also where it stood in the place of something else.
                any |= claimed != Some(false);
            }
        }
        Ok(any)
    }

    /// Claim one item. Says whether it was claimed.
    fn claim_simulated_item(&mut self, candidate: &Candidate) -> Result<bool, EngineError> {
        let delay_ms = self.delay_ms(candidate)?;
        let lease_ms = self.core.settings.lease_ms().saturating_add(delay_ms);
        let claim = self.claim_item(candidate, WORKER, lease_ms)?;
        let claimed = claim.is_some();
        let answer_at = self.later(delay_ms);
        self.simulated
            .extend(claim.map(|claim| (answer_at, claim.id)));
        Ok(claimed)
    }

    fn answer_simulated(&mut self) -> Result<bool, EngineError> {
        let mut any = false;
        while let Some((at, claim)) = self.simulated.first()
            && *at <= self.now()
        {
            let execution = claim.execution;
            let full = self.facts >= self.core.settings.turn_limits.facts;
            let waits = self.has_to_wait(execution);
            let waits = self.others_go_on(execution, waits)? == Some(true);
            if full || waits || !self.may(Phase::Claims) {
                self.cut = true;
                break;
            }
            let Some((_, claim)) = self.simulated.pop_first() else {
                break;
            };
            let answered = self.answer_one(&claim);
            self.others_go_on(claim.execution, answered)?;
            any = true;
        }
        Ok(any)
    }

    fn answer_one(&mut self, claim: &ClaimId) -> Result<(), EngineError> {
        match self.complete(claim, &Answer::output(json!({}))) {
            Ok(_) => Ok(()),
            Err(EngineError::Refused { reason, .. }) => {
                let error =
                    WorkError::permanent(format!("a simulated answer does not do: {reason}"));
                self.fail(claim, &error).map(drop)
            }
            // Cancelled or timed out meanwhile, or stalled; the log tells.
            Err(EngineError::Stale { .. } | EngineError::Guest { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn delay_ms(&mut self, candidate: &Candidate) -> Result<u64, EngineError> {
        let record = &self.open(candidate.execution)?.record;
        let workflow = (record.workflow_id.clone(), record.workflow_version.clone());
        if !self.core.simulation.delays.contains_key(&workflow) {
            let text = self.workflow_text(&workflow.0, &workflow.1)?;
            self.core
                .simulation
                .delays
                .insert(workflow.clone(), delays(&text));
        }
        let delays = self.core.simulation.delays.get(&workflow);
        Ok(delays
            .and_then(|delays| delays.get(&candidate.node_id))
            .copied()
            .unwrap_or(0))
    }
}

/// As much of a workflow as its labels.
#[derive(Deserialize)]
struct Labelled {
    nodes: HashMap<String, LabelledNode>,
}

#[derive(Deserialize)]
struct LabelledNode {
    #[serde(default)]
    labels: HashMap<String, Value>,
}

/// The label `simulate_ms` of each node that has it, as a number or a text.
fn delays(workflow: &str) -> HashMap<String, u64> {
    let Ok(Labelled { nodes }) = serde_json::from_str(workflow) else {
        return HashMap::new();
    };
    let delay = |node: &LabelledNode| {
        let label = node.labels.get("simulate_ms")?;
        let delay_ms: u64 = label.as_u64().or_else(|| label.as_str()?.parse().ok())?;
        Some(delay_ms.min(SIMULATED_DELAY_MS_MAX))
    };
    nodes
        .iter()
        .filter_map(|(id, node)| Some((id.clone(), delay(node)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_come_from_labels() {
        let read = delays(
            r#"{"nodes":{"a":{"labels":{"simulate_ms":"1500"}},"b":{"labels":{"simulate_ms":7}},"c":{}}}"#,
        );
        assert_eq!(
            read,
            HashMap::from([("a".to_owned(), 1500), ("b".to_owned(), 7)])
        );
        assert_eq!(delays("[]"), HashMap::new());
    }
}
