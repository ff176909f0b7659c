//! Subgraphs and repeats (rules R1, R22 and R23).

use alloc::format;
use alloc::vec::Vec;

use super::faults::check;
use super::{PLAIN, of_kind, plan, workflow};
use crate::workflow::parse_registered;
use crate::workflow::plan::{Gives, Kind, Subgraph};

fn subgraph(kind: &str) -> Subgraph {
    let plan = plan(&of_kind(kind));
    let node = plan.nodes.into_iter().find(|node| node.id == "a");
    match node.map(|node| node.kind) {
        Some(Kind::Subgraph(subgraph)) => *subgraph,
        other => panic!("{kind} is {other:?}"),
    }
}

const NAMED: &str = r#""type": "subgraph", "workflow_id": "c", "version": "1.0.0""#;

#[test]
fn r22_subgraphs() {
    let named = subgraph(&format!("{{{NAMED}}}"));
    assert_eq!(named.workflow, Some(("c".into(), "1.0.0".into())));
    assert_eq!(named.gives, Gives::Under(None));
    assert!(named.repeat.is_none() && named.input_mapping.is_none());
    let repeated = subgraph(&format!(
        r#"{{{NAMED}, "output_key": "k", "repeat": {{"while": "last.n < iteration", "max": 3, "on_max": "complete"}}}}"#
    ));
    assert_eq!(repeated.gives, Gives::Under(Some("k".into())));
    let repeat = repeated.repeat.expect("it is repeated");
    assert_eq!((repeat.max, repeat.completes_at_max), (3, true));
    let detached = subgraph(&format!(r#"{{{NAMED}, "detached": true}}"#));
    assert_eq!(detached.gives, Gives::Detached);
}

#[test]
fn r22_a_workflow_in_place_has_its_queues_and_no_name() {
    let body = format!(r#"{{"start_node": "x", "nodes": {{"x": {PLAIN}}}}}"#);
    let nested = format!(
        r#"{{"start_node": "y", "nodes": {{"y": {{"kind": {{"type": "subgraph", "body": {body}}}}}}}}}"#
    );
    let outer = subgraph(&format!(r#"{{"type": "subgraph", "body": {nested}}}"#));
    assert_eq!(
        (outer.workflow, outer.queues),
        (None, Vec::from(["command".into()]))
    );
    let of_child = parse_registered(&body).expect("an execution may be of it");
    assert_eq!((&*of_child.workflow_id, &*of_child.version), ("", ""));
    check(&body, &[("", "the field `workflow_id` is missing")]);
}

#[test]
fn r22_faults_of_subgraphs() {
    #[rustfmt::skip]
    let rows: &[(&str, &str, &str)] = &[
        (r#""workflow_id": "c""#, "", "the field `version` is missing: a child is of one version for good, and there is no latest one"),
        (r#""body": {"start_node": "x", "nodes": {}}, "version": "1.0.0""#, "/version", "`version` has no effect: the workflow is written in place, in `body`"),
        (r#""workflow_id": "c", "version": "1.0.0", "merge": true, "output_key": "k""#, "/output_key", "with `merge` the keys of the final state stand in the state themselves, and under no other key"),
        (r#""workflow_id": "c", "version": "1.0.0", "detached": true, "repeat": {"while": "true", "max": 2}"#, "/repeat", "nobody waits for a detached child, so it cannot be repeated"),
        (r#""workflow_id": "c", "version": "1.0.0", "detached": true, "output_key": "k""#, "/output_key", "nobody waits for a detached child: there is nothing to put into the state"),
        (r#""workflow_id": "c", "version": "1.0.0", "detached": true, "merge": true"#, "/merge", "nobody waits for a detached child: there is nothing to merge"),
        (r#""workflow_id": "c", "version": "1.0.0", "repeat": {"while": "true"}"#, "/repeat", "the field `max` is missing"),
        (r#""workflow_id": "c", "version": "1.0.0", "repeat": {"while": "true", "max": 0}"#, "/repeat/max", "`max` cannot be 0"),
        (r#""workflow_id": "c", "version": "1.0.0", "repeat": {"max": 2}"#, "/repeat", "the field `while` is missing"),
        (r#""workflow_id": "c", "version": "1.0.0", "repeat": {"while": "lst.x", "max": 2}"#, "/repeat/while", "`lst.x` does not parse: unknown word `lst`; a path begins with state, input, node_id, last, iteration or errors, and a text stands in quotes: \"lst\" (column 1)"),
        (r#""workflow_id": "c", "version": "1.0.0", "input_mapping": {"a": "last"}"#, "/input_mapping/a", "`last` does not parse: unknown word `last`; it can be read only by a `subgraph` with `repeat` (column 1)"),
        (r#""workflow_id": "c", "version": "1.0.0", "inputs": {}"#, "/inputs", "unknown field `inputs`"),
        (r#""body": {"start_node": "x", "nodes": {"x": {"kind": {"type": "comand"}}}}"#, "/body/nodes/x/kind/type", "unknown kind `comand`"),
        (r#""body": {"workflow_id": "b", "start_node": "x", "nodes": {"x": {"kind": {"type": "parallel"}}}}"#, "/body/workflow_id", "a workflow that is written in place has no `workflow_id`"),
        (r#""body": {"start_node": "y", "nodes": {"x": {"kind": {"type": "parallel"}}}}"#, "/body/start_node", "there is no node `y`"),
        (r#""body": {"start_node": "x", "nodes": {"x": {"kind": {"type": "subgraph", "body": {"start_node": "z", "nodes": {"z": {"kind": {"type": "wait"}}}}}}}}"#, "/body/nodes/x/kind/body/nodes/z/kind", "the field `condition` is missing"),
    ];
    for (fields, place, message) in rows {
        let kind = format!(r#"{{"type": "subgraph", {fields}}}"#);
        let faults = super::faults::faults(&of_kind(&kind));
        let found = faults
            .iter()
            .find(|(pointer, _)| *pointer == format!("/nodes/a/kind{place}"));
        let found = found.unwrap_or_else(|| panic!("{fields}: {faults:?}"));
        assert_eq!(&found.1, message, "{fields}");
    }
    check(
        &of_kind(r#"{"type": "subgraph"}"#),
        &[(
            "/nodes/a/kind",
            "it says of no workflow that it is the child's",
        )],
    );
}

#[test]
fn r22_a_node_with_a_child_has_no_queue_and_runs_at_no_end() {
    for (name, value) in [
        ("queue", "\"q\""),
        ("priority", "1"),
        ("run_on", "\"always\""),
    ] {
        let nodes = format!(r#""a": {{"kind": {{{NAMED}}}, "{name}": {value}}}"#);
        let message = format!("`{name}` has no effect: no worker does this node");
        check(
            &workflow(&nodes, &["a end"], ""),
            &[(&format!("/nodes/a/{name}"), &message)],
        );
    }
}

#[test]
fn r21_a_child_as_the_body_of_a_map_gives_its_state_to_the_list() {
    for (field, name) in [
        (r#""merge": true"#, "merge"),
        (r#""output_key": "k""#, "output_key"),
    ] {
        let kind = format!(r#"{{"type": "map", "over": "input.a", "body": {{{NAMED}, {field}}}}}"#);
        let message = "it has no effect: the map makes a list of what its instances come to";
        check(
            &of_kind(&kind),
            &[(&format!("/nodes/a/kind/body/{name}"), message)],
        );
    }
}
