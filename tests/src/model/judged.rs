//! What becomes of a node's edges when it is settled (rules R7, R9 and R26).

use refrain_guest::contract::NodeExhausted;
use serde_json::Value;
use serde_json::value::RawValue;

use super::graph::{Edge, Graph, expression};
use super::past::Past;
use super::record::Stage;

impl Past {
    /// R7, R9: the node counts as completed, its outgoing edges are judged.
    pub(super) fn settle(
        &mut self,
        graph: &Graph,
        node: usize,
        stage: Stage,
        target: Option<&str>,
    ) {
        self.stop(node, stage);
        for (place, edge) in graph.edges.iter().enumerate() {
            if edge.from != node {
                continue;
            }
            let live = match target {
                _ if edge.on == "failure" => false,
                Some(target) => graph.nodes[edge.to].id == target,
                None if edge.chosen || graph.nodes[node].branches().is_some() => false,
                None => edge.condition.as_ref().is_none_or(|text| self.holds(text)),
            };
            self.live[place] = Some(live);
        }
    }

    /// R26: a node that failed for good judges the edges that are for that. If one is
    /// live, all others are dead.
    pub(super) fn fail(&mut self, graph: &Graph, exhausted: &NodeExhausted) {
        let node = graph.place(&exhausted.node_id);
        let error = self.nodes[node].error(exhausted).to_string();
        self.stop(node, Stage::Failed);
        let holds = |on: &str, condition: &Option<String>| {
            let holds = |text: &String| self.holds_on(text, &error);
            on != "success" && condition.as_ref().is_none_or(holds)
        };
        let is_live = |edge: &Edge| !edge.chosen && holds(&edge.on, &edge.condition);
        let own = |edge: &&Edge| edge.from == node;
        let live: Vec<bool> = graph.edges.iter().filter(own).map(is_live).collect();
        let mut ends = graph.ends.iter().filter(|(from, _, _)| *from == node);
        let to_end = ends.any(|(_, on, condition)| holds(on, condition));
        self.nodes[node].handled = to_end || live.contains(&true);
        if self.nodes[node].handled {
            let error: Value = serde_json::from_str(&error).expect("an error is JSON");
            let (class, message, attempts) =
                (&error["class"], &error["message"], &error["attempts"]);
            let error = format!(r#"{{"class":{class},"message":{message},"attempts":{attempts}}}"#);
            let error = RawValue::from_string(error).expect("it is JSON");
            self.errors.insert(graph.nodes[node].id.clone(), error);
            let places = graph.edges.iter().zip(0..);
            let own = places.filter(|(edge, _)| edge.from == node);
            for ((_, place), live) in own.zip(live) {
                self.live[place] = Some(live);
            }
        }
    }

    /// R9: a skipped node's outgoing edges are dead.
    pub(super) fn kill(&mut self, graph: &Graph, node: usize) {
        for (place, edge) in graph.edges.iter().enumerate() {
            if edge.from == node {
                self.live[place] = Some(false);
            }
        }
    }

    /// Whether a condition holds on state, input and a failure.
    fn holds_on(&self, text: &str, error: &str) -> bool {
        self.seen(|scope| expression(text).is_true(&scope.with_error(error)))
    }
}
