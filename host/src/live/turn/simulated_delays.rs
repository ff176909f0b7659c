//! How long simulated workers take for a node: the number of milliseconds in its
//! label `simulate_ms`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::limits::SIMULATED_DELAY_MS_MAX;

/// The delays of the workflows that were simulated.
#[derive(Default)]
pub(crate) struct SimulatedDelays {
    /// The delay of each node that has one, by workflow id and version.
    workflows: HashMap<(String, String), HashMap<String, u64>>,
}

impl SimulatedDelays {
    /// Whether the delays of this workflow have been read.
    pub(in crate::live) fn knows(&self, workflow: &(String, String)) -> bool {
        self.workflows.contains_key(workflow)
    }

    /// Reads the delays of this workflow from its text.
    pub(in crate::live) fn learn(&mut self, workflow: (String, String), text: &str) {
        self.workflows.insert(workflow, delays(text));
    }

    /// How long this node takes; 0 unless its label says otherwise.
    pub(in crate::live) fn of(&self, workflow: &(String, String), node_id: &str) -> u64 {
        let delays = self.workflows.get(workflow);
        let delay = delays.and_then(|delays| delays.get(node_id));
        delay.copied().unwrap_or(0)
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
