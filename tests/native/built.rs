//! A workflow that is built in Rust is the one that the same JSON describes.

use std::time::Duration;

use proptest::{prop_assert, prop_assert_eq};
use refrain::{Budgets, Edge, Node, RetryPolicy, Workflow, WorkflowBuilder};
use refrain_guest::shell::Scheduler;
use refrain_guest::strategies::workflows;
use refrain_tests::runner;
use serde_json::{Map, Value, json};

#[test]
fn what_is_built_is_what_is_written() {
    let checked = runner(200).run(&workflows(), |workflow| {
        let written: Value = serde_json::from_str(workflow.text()).expect("JSON");
        let built = builder(&written).build().expect("JSON");
        let read: Value = serde_json::from_str(built.text()).expect("JSON");
        prop_assert_eq!(&read, &plainly(written.clone()));
        // What was built, written and read again is the same workflow.
        let again = Workflow::from_json(built.text()).expect("JSON");
        prop_assert_eq!(again.digest(), built.digest());
        let twice = builder(&written).build().expect("JSON");
        prop_assert_eq!(twice, again);
        // And the scheduler has the same to say of both.
        let said = Scheduler::validate(built.text());
        prop_assert!(said.is_ok());
        prop_assert_eq!(
            format!("{said:?}"),
            format!("{:?}", Scheduler::validate(workflow.text()))
        );
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("{failure}");
    }
}

#[test]
fn r21_r22_r23_maps_children_and_loops_are_built() {
    let body = Workflow::builder("left", "9.9.9")
        .node("x", Node::command(["true"]))
        .build()
        .expect("JSON");
    let built = Workflow::builder("w", "1.0.0")
        .node(
            "each",
            Node::map(
                "state.files",
                Node::command(["wc", "${item}"]).retry("no_retry"),
            )
            .with("max_concurrent", json!(4)),
        )
        .node(
            "loop",
            Node::subgraph_in_place(&body)
                .input("said", "last.said")
                .input("round", "iteration")
                .repeat_while("!last.passed", 5),
        )
        .node(
            "bill",
            Node::subgraph("billing", "1.0.0").with("merge", json!(true)),
        )
        .edge("each", "loop")
        .edge("loop", "bill")
        .start("each")
        .build()
        .expect("JSON");
    let read: Value = serde_json::from_str(built.text()).expect("JSON");
    let command = json!({ "type": "command", "argv": ["wc", "${item}"] });
    let expected = json!({
        "each": {
            "kind": { "type": "map", "over": "state.files", "max_concurrent": 4, "body": command },
            "retry_policy": "no_retry",
        },
        "loop": { "kind": {
            "type": "subgraph",
            "body": {
                "nodes": { "x": { "kind": { "type": "command", "argv": ["true"] } } },
                "edges": [],
                "start_node": "x",
            },
            "input_mapping": { "said": "last.said", "round": "iteration" },
            "repeat": { "while": "!last.passed", "max": 5 },
        } },
        "bill": { "kind": {
            "type": "subgraph", "workflow_id": "billing", "version": "1.0.0", "merge": true,
        } },
    });
    assert_eq!(read["nodes"], expected);
    let said = Scheduler::validate(built.text());
    assert!(said.is_ok(), "{said:?}");
}

#[test]
fn what_is_wrong_is_told_with_node_and_field() {
    let faulty = Workflow::builder("w", "one")
        .node(
            "a",
            Node::command(["true"])
                .with("shell", Value::from(true))
                .retry("mine"),
        )
        .node("b", Node::tool("t").timeout(Duration::ZERO))
        .edge_if("a", "c", "state.")
        .build()
        .expect("JSON");
    let faults = Scheduler::validate(faulty.text()).expect_err("it is faulty");
    let mut places: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
    places.sort_unstable();
    places.dedup();
    for place in [
        "/edges/0/condition",
        "/edges/0/to",
        "/nodes/a/kind/shell",
        "/nodes/a/retry_policy",
        "/nodes/b/node_timeout_secs",
        "/version",
    ] {
        assert!(places.contains(&place), "{place} is not in {places:?}");
    }
}

/// The calls that build a workflow like this.
fn builder(written: &Value) -> WorkflowBuilder {
    let mut builder = Workflow::builder(text(&written["workflow_id"]), text(&written["version"]))
        .start(text(&written["start_node"]));
    for (id, node) in object(&written["nodes"]) {
        builder = builder.node(id, built_node(&node));
    }
    for edge in written["edges"].as_array().expect("a list") {
        let mut built = Edge::new(text(&edge["from"]), text(&edge["to"]));
        if let Some(condition) = edge.get("condition") {
            built = built.when(text(condition));
        }
        built = match edge["on"].as_str() {
            None => built,
            Some("failure") => built.on_failure(),
            Some("always") => built.always(),
            Some(other) => panic!("{other} is nothing that is generated"),
        };
        builder = builder.any_edge(built);
    }
    builder = builder.budgets(budgets(written));
    for (name, policy) in object(&written["retry_policies"]) {
        builder = builder.retry_policy(name, built_policy(&policy));
    }
    for (name, value) in object(&written["timeouts"]) {
        builder = match &*name {
            "workflow_timeout" => builder.workflow_timeout(seconds(&value)),
            "node_timeout" => builder.node_timeout(seconds(&value)),
            other => panic!("{other} is no timeout that is generated"),
        };
    }
    for (name, value) in object(&written["limits"]) {
        let limit = value
            .as_u64()
            .and_then(|it| it.try_into().ok())
            .expect("a limit");
        builder = match &*name {
            "max_concurrent_nodes" => builder.max_concurrent_nodes(limit),
            "max_dispatch_per_tick" => builder.max_dispatch_per_tick(limit),
            other => panic!("{other} is no limit"),
        };
    }
    builder
}

fn budgets(written: &Value) -> Budgets {
    let mut budgets = Budgets::default();
    let tokens = &written["token_budget"];
    let total = tokens.as_u64().or_else(|| tokens["total_tokens"].as_u64());
    if let Some(total) = total {
        budgets = budgets.tokens(total);
    }
    if let Some(input) = tokens["input_tokens"].as_u64() {
        budgets = budgets.input_tokens(input);
    }
    if let Some(output) = tokens["output_tokens"].as_u64() {
        budgets = budgets.output_tokens(output);
    }
    if let Some(cost) = written["cost_budget_usd"].as_f64() {
        budgets = budgets.cost_usd(cost);
    }
    match written["on_budget_exceeded"].as_str() {
        None => budgets,
        Some("pause") => budgets.pause(),
        Some(_fail) => budgets.fail(),
    }
}

fn built_node(node: &Value) -> Node {
    let kind = object(&node["kind"]);
    let mut built = Node::of_kind(text(&node["kind"]["type"]));
    for (field, value) in kind.iter().filter(|(field, _)| *field != "type") {
        built = built.with(field, value.clone());
    }
    if let Some(policy) = node.get("retry_policy") {
        built = built.retry(text(policy));
    }
    if let Some(timeout) = node.get("node_timeout_secs") {
        built = built.timeout(seconds(timeout));
    }
    if let Some(queue) = node.get("queue") {
        built = built.queue(text(queue));
    }
    if let Some(priority) = node["priority"].as_u64() {
        built = built.priority(priority.try_into().expect("0 to 9"));
    }
    if let Some(lease) = node.get("lease_secs") {
        built = built.lease(seconds(lease));
    }
    if let Some(ending) = node.get("run_on") {
        built = built.run_on(text(ending));
    }
    built
}

fn built_policy(policy: &Value) -> RetryPolicy {
    let attempts = policy["max_attempts"].as_u64().expect("a number");
    let mut built = RetryPolicy::attempts(attempts.try_into().expect("few"));
    let initial = || seconds(&policy["initial_delay"]);
    let max = || seconds(&policy["max_delay"]);
    built = match policy["backoff"].as_str() {
        None => built,
        Some("fixed") => built.fixed(initial()),
        Some("linear") => built.linear(initial(), max()),
        Some("exponential") => built.exponential(initial(), max()),
        Some(other) => panic!("{other} is no back-off"),
    };
    if policy["jitter"] == true {
        built = built.jitter();
    }
    if let Some(classes) = policy["retryable_on"].as_array() {
        built = built.only_on(classes.iter().map(text));
    }
    if policy["on_exhausted"] == "pause" {
        built = built.pause_when_exhausted();
    }
    built
}

/// Without what says nothing: the id of a node in the node, empty objects, flags that are
/// not set, the bound of a delay that does not grow.
fn plainly(mut written: Value) -> Value {
    for node in written["nodes"]
        .as_object_mut()
        .expect("nodes")
        .values_mut()
    {
        node.as_object_mut().expect("a node").remove("id");
    }
    let workflow = written.as_object_mut().expect("an object");
    workflow.retain(|name, value| name == "nodes" || *value != Value::Object(Map::new()));
    let policies = workflow
        .get_mut("retry_policies")
        .and_then(Value::as_object_mut);
    for policy in policies.into_iter().flat_map(Map::values_mut) {
        let is_fixed = policy["backoff"] == "fixed";
        let policy = policy.as_object_mut().expect("a policy");
        policy.retain(|name, value| {
            *value != false
                && !value.is_null()
                && *value != Value::Array(Vec::new())
                && !(name == "max_delay" && is_fixed)
                && !(name == "on_exhausted" && value == "fail")
        });
    }
    written
}

/// The fields; none where it is left out.
fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs(value.as_u64().expect("whole seconds"))
}
