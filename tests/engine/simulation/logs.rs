//! Which logs can be simulated: children's too, and such as have not ended.

use std::time::Duration;

use refrain::model::Status;
use refrain::simulation::{Assumed, Recordings, SimulationError, Unended};
use refrain_tests::workflows::{single, tools};
use serde_json::{Value, json};

use super::host::{Host, fan, nobody, simulate, simulation};

fn parent() -> Value {
    let child = json!({ "type": "subgraph", "workflow_id": "child", "version": "1.0.0" });
    let mut workflow = single(json!({ "kind": child }));
    workflow["workflow_id"] = json!("parent");
    workflow
}

#[test]
fn r22_children_are_simulated_with_their_parents_or_end_as_they_did() {
    let mut host = Host::new();
    let mut child = tools("x -> y");
    child["workflow_id"] = json!("child");
    host.register(&child);
    let says = |node: &str, _| (100, Ok(json!({ node: true })));
    let id = host.run(&parent(), says, nobody);

    let with = host.recordings(id);
    let done = simulate(&simulation(), &with);
    assert_eq!(done.recorded, done.simulated);
    assert_eq!((done.simulated.attempts, done.simulated.took_ms), (2, 200));

    // Without the child's log, all that is known is how it ended, and when.
    let alone = Recordings::of(host.recording(id), &[]).expect("it is whole");
    let done = simulate(&simulation(), &alone);
    assert_eq!(done.is_same_state, Some(true), "{done:?}");
    assert_eq!(done.simulated.took_ms, 200);
    assert!(done.assumptions.is_empty(), "{:?}", done.assumptions);
}

#[test]
fn a_log_that_is_not_whole_is_refused() {
    let mut host = Host::new();
    let (workflow, says) = fan();
    let id = host.run(&workflow, says, nobody);
    let mut cut = host.recording(id);
    cut.events.pop();
    let refused = Recordings::of(cut, &[]);
    assert!(matches!(refused, Err(SimulationError::Unsound(of)) if of == id));
    let mut other = host.recording(id);
    other.workflow = other.workflow.replace("\"t\"", "\"u\"").into();
    let refused = Recordings::of(other, &[]);
    assert!(matches!(refused, Err(SimulationError::Unsound(of)) if of == id));
}

/// A log that ends earlier is one of an execution that goes on: so does its simulation, as
/// far as it is known how.
#[test]
fn what_has_not_ended_goes_on_until_nobody_knows_more() {
    let mut host = Host::new();
    let (workflow, says) = fan();
    let id = host.run(&workflow, says, nobody);
    // The first node has begun.
    let beginning = host.recording(id).until(3).expect("it has three events");
    let begun = Recordings::of(beginning, &[]).expect("it is whole");
    let done = simulate(&simulation(), &begun);
    let both = (done.recorded.status, done.simulated.status);
    assert_eq!(both, (Status::Running, Status::Running));
    assert_eq!(done.unended, Some(Unended::NothingFollows));
    assert_eq!(
        done.assumptions[0].what,
        Assumed::Stopped(1, Duration::ZERO)
    );
    assert!(
        done.is_same_end(),
        "it has no end that another could differ from"
    );
}
