//! Nodes that wait become ordinary work, where nothing depends on what they wait for.

use refrain::id::ExecutionId;
use refrain::model::{ApprovalDecision, ApprovalReceived, Event, EventKind, ExternalEventReceived};
use refrain::replay::{Minimized, minimize};
use refrain_guest::contract as native;
use refrain_tests::memory_ports::across;
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

use super::guests::{Guests, Run, plays, recording, worked_on};

/// The children that are asked for begin and end, until none is.
fn with_children(mut run: Run) -> Run {
    while let Some(order) = run.0.ports.children.first() {
        let name = order.name.clone();
        let (node_id, attempt, iteration) = (name.node_id, name.attempt, name.iteration);
        let child = ExecutionId::of_child(run.0.id(), &node_id, attempt, iteration);
        let started = native::ChildStarted {
            node_id: node_id.clone(),
            attempt,
            iteration,
            child_id: child.to_string(),
            workflow_digest: "0".repeat(64),
        };
        let ended = native::ChildEnded {
            node_id,
            attempt,
            iteration,
            child_id: child.to_string(),
            status: native::Status::Completed,
            sequence: 9,
            head: "0".repeat(64),
            output: Some(r#"{"n":1}"#.to_owned()),
            error: None,
        };
        run.offer(across(&native::EventKind::ChildStarted(started)));
        run.offer(across(&native::EventKind::ChildEnded(ended)));
    }
    worked_on(run)
}

fn approved(mut run: Run) -> Run {
    let approval = ApprovalReceived::new("first", "alice", ApprovalDecision::Approved);
    run.offer(EventKind::ApprovalReceived(approval));
    worked_on(run)
}

fn signalled(mut run: Run) -> Run {
    let signal = ExternalEventReceived::new("paid", r#"{"by":"card"}"#);
    run.offer(EventKind::ExternalEventReceived(signal));
    worked_on(run)
}

fn waited_for(mut run: Run) -> Run {
    run.0.ports.now += 60_000;
    let stepped = run.0.step(&[]);
    stepped.unwrap_or_else(|error| panic!("{error}"));
    worked_on(run)
}

/// What kind the first node is of, and what happens.
type Row = (&'static str, Value, fn(Run) -> Run);

fn rows() -> Vec<Row> {
    let child = json!({ "type": "subgraph", "workflow_id": "c", "version": "1.0.0" });
    let with = |kind: &Value, name: &str, value: Value| {
        let mut kind = kind.clone();
        kind[name] = value;
        kind
    };
    let looped = json!({ "while": "iteration < 3", "max": 9 });
    let map = json!({ "type": "map", "over": "input.items", "max_concurrent": 1 });
    let tool = json!({ "type": "tool", "tool_ref": "t" });
    let person = json!({ "type": "human_approval", "description": "May it?" });
    let event = json!({ "type": "wait", "condition": "external_event", "correlation_key": "paid" });
    let time = json!({ "type": "wait", "condition": "timer", "timeout_secs": 60 });
    vec![
        ("a map", with(&map, "body", tool), worked_on),
        ("a child", child.clone(), with_children),
        (
            "a child of which the state is read",
            with(&child, "output_key", json!("seen")),
            with_children,
        ),
        ("a loop", with(&child, "repeat", looped), with_children),
        (
            "a map of children",
            with(&map, "body", child),
            with_children,
        ),
        ("a person", person, approved),
        ("an event", event, signalled),
        ("a time", time, waited_for),
    ]
}

/// The kinds that are left.
fn kinds(small: &Minimized) -> Vec<String> {
    let workflow: Value = serde_json::from_str(&small.recording.workflow).expect("JSON");
    let nodes = workflow["nodes"].as_object().expect("nodes").values();
    let kinds = nodes.map(|node| node["kind"]["type"].as_str().unwrap_or_default().to_owned());
    kinds.collect()
}

#[test]
fn what_waits_becomes_ordinary_work_where_that_does_not_matter() {
    let mut guests = Guests::new();
    let other = guests.other.clone();
    for (what, kind, happens) in rows() {
        // It is the first, so that nothing else can stand in its place.
        let mut workflow = tools("first -> left, first -> right");
        workflow["nodes"]["first"]["kind"] = kind;
        let input = json!({ "items": [1, 2] });
        let log = happens(Run::new(&mut guests, &workflow, &input)).log();
        let small = guests.smaller(&log, &other);
        let table = small.table.as_deref().unwrap_or_else(|why| why);
        assert_eq!(kinds(&small), ["condition"; 3], "{what}: {table}");
        assert_eq!(small.after.events, 6, "{what}: {table}");
        plays(&small);
    }
}

/// What a condition reads of it is there all the same.
#[test]
fn what_it_has_come_to_stays_where_it_is_read() {
    let mut guests = Guests::new();
    let other = guests.other.clone();
    let mut workflow = tools("first -> left, first -> right");
    workflow["nodes"]["first"]["kind"] = json!({
        "type": "subgraph", "workflow_id": "c", "version": "1.0.0", "output_key": "seen",
    });
    for edge in workflow["edges"].as_array_mut().expect("a list") {
        edge["condition"] = json!("state.seen.n == 1");
    }
    let log = with_children(Run::new(&mut guests, &workflow, &json!({}))).log();
    let small = guests.smaller(&log, &other);
    assert_eq!(kinds(&small), ["condition"; 3], "{:?}", small.table);
    plays(&small);
}

/// A kind stays if it is what something is wrong with; of a map, the instances are work then.
#[test]
fn what_something_is_wrong_with_stays_what_it_is() {
    let mut guests = Guests::new();
    for (what, kind, happens) in rows() {
        let mut workflow = tools("first -> last");
        workflow["nodes"]["first"]["kind"] = kind;
        let input = json!({ "items": [1, 2] });
        let log = happens(Run::new(&mut guests, &workflow, &input)).log();
        // The log ends before the first has ended, and owes that.
        let mut events: Vec<Event> = log.events.iter().map(|it| it.event.clone()).collect();
        let is_end =
            |it: &Event| matches!(&it.kind, EventKind::NodeSettled(it) if it.node_id == "first");
        let Some(end) = events.iter().position(is_end) else {
            // A child's end is a fact, which nobody owes.
            continue;
        };
        events.truncate(end);
        let forged = recording(&log.workflow, events);
        let small = minimize(&mut guests.library, &forged, None, &mut |_| true);
        let small = small.unwrap_or_else(|error| panic!("{what}: {error}"));
        let was = workflow["nodes"]["first"]["kind"]["type"].as_str();
        assert_eq!(kinds(&small), [was.unwrap_or_default()], "{what}");
        let text = &small.recording.workflow;
        assert!(!text.contains("subgraph"), "{what}: {text}");
    }
}
