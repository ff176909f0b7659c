//! The workflows of a test file: their graphs, and the names of their nodes.

// The workflows of one test file, and the names of their nodes.
mod workflows;

pub(super) use crate::graph::{END, Edge, Graph, On, Rule};
pub(super) use workflows::{Given, Workflows, WrongName};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workflow;
    use crate::testing::TestFile;
    use serde_json::{Value, json};

    /// The scheduler counts the edges between nodes; those to the end are not among them.
    fn check(workflow: &str) {
        let file = TestFile::new(Workflow::from_json(workflow).expect("JSON")).expect("valid");
        let graph = Graph::read(workflow).expect("a graph");
        let edges = graph.edges.iter().filter(|edge| edge.to != END).count();
        assert_eq!(edges, file.edges_between_nodes(), "{:#?}", graph.edges);
    }

    #[test]
    fn r1_there_are_as_many_edges_as_the_scheduler_counts() {
        for workflow in [
            include_str!("../../../examples/approval.json"),
            include_str!("../../../examples/claims.json"),
            include_str!("../../../examples/files.json"),
            include_str!("../../../examples/retry.json"),
        ] {
            check(workflow);
        }
        let tool = || json!({ "kind": { "type": "tool", "tool_ref": "t" } });
        let kind = |kind: Value| json!({ "kind": kind });
        let policy = json!({ "type": "policy", "policy_ref": "p",
            "on_violation": { "branch": { "target": "b" } } });
        let task = json!({ "type": "a2a_task", "remote_agent": "a", "skill": "s",
            "on_input_required": "c" });
        let branches = json!([{ "condition": "state.x", "target": "b" },
            { "condition": null, "target": "end" }]);
        let finalizer = json!({ "type": "finalizer", "tool_ref": "t", "run_on": "always" });
        check(
            &json!({
                "workflow_id": "w", "version": "1.0.0", "start_node": "s",
                "nodes": {
                    "s": kind(json!({ "type": "parallel", "branches": ["p", "t", "q"] })),
                    "p": kind(policy), "t": kind(task), "a": tool(), "b": tool(), "c": tool(),
                    "q": kind(json!({ "type": "condition", "branches": branches })),
                    "j": kind(json!({ "type": "join", "wait_for": ["a", "b", "c"] })),
                    "f": kind(finalizer),
                    "g": { "kind": { "type": "task", "queue": "mail" }, "run_on": "always" },
                },
                "edges": [
                    { "from": "s", "to": "p" }, { "from": "p", "to": "a" },
                    { "from": "p", "to": "b" },
                    { "from": "t", "to": "c", "condition": "state.y" },
                    { "from": "t", "to": "a", "condition": "state.y" },
                    { "from": "t", "to": "a", "condition": "state.z" },
                    { "from": "q", "to": "b" }, { "from": "q", "to": "a" },
                    { "from": "a", "to": "j" }, { "from": "j", "to": "f" },
                    { "from": "j", "to": "g" }, { "from": "f", "to": "g" },
                    { "from": "p", "to": "b", "on": "always", "condition": "error.attempts > 1" },
                    { "from": "p", "to": "b", "on": "failure", "condition": "error.attempts > 1" },
                    { "from": "t", "to": "b", "on": "failure" }, { "from": "t", "to": "b" },
                    { "from": "b", "to": "j", "on": "failure" },
                    { "from": "a", "to": "end", "on": "failure" },
                    { "from": "f", "to": "end" }, { "from": "j", "to": "end" },
                ],
            })
            .to_string(),
        );
    }
}
