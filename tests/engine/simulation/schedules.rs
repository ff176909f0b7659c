//! How long it would have taken, with the same work.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use refrain::model::Status;
use refrain::replay::Change;
use refrain::replay::timeline::Activity;
use refrain::simulation::{Assumed, Simulated, Simulation, SimulationError};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::library;
use refrain_tests::workflows::{single, tools};
use serde_json::json;

use super::host::{Host, TICK, fan, nobody, often, policy, simulate, simulation};

fn at_most_at_once(nodes: u32) -> Change {
    Change {
        max_concurrent_nodes: Some(nodes),
        ..Change::default()
    }
}

#[test]
fn unchanged_it_takes_as_long_as_it_took() {
    let mut host = Host::new();
    let (workflow, says) = fan();
    let id = host.run(&workflow, says, nobody);
    let done = simulate(&simulation(), &host.recordings(id));
    assert_eq!(done.recorded, done.simulated);
    assert_eq!(done.simulated.took_ms, 400);
    assert_eq!(done.simulated.at_work_most, 3);
    assert_eq!(
        done.simulated.spent,
        BTreeMap::from([(Activity::Work, 700)])
    );
    assert_eq!(done.is_same_state, Some(true));
    assert!(done.is_same_end() && done.assumptions.is_empty());
}

#[test]
fn r04_fewer_at_once_take_longer() {
    let mut host = Host::new();
    let (workflow, says) = fan();
    let id = host.run(&workflow, says, nobody);
    let recordings = host.recordings(id);
    let one = NonZeroUsize::new(1).expect("one is not zero");
    for (simulation, queued) in [
        // Not dispatched before there is room, so that nothing waits in a queue.
        (simulation().with_change(at_most_at_once(1)), 0),
        (simulation().with_workers(one), 100 + 300),
    ] {
        let done = simulate(&simulation, &recordings);
        assert_eq!(done.simulated.took_ms, 700, "{simulation:?}");
        assert_eq!(done.simulated.at_work_most, 1);
        let waited = done.simulated.spent.get(&Activity::Queue);
        assert_eq!(waited.copied().unwrap_or(0), queued);
        assert!(done.is_same_end(), "{done:?}");
    }
}

#[test]
fn r11_retries_have_the_jitter_that_they_had_and_another_policy_another_delay() {
    let mut host = Host::new();
    let (workflow, says) = often(3);
    let id = host.run(&workflow, says, nobody);
    let recordings = host.recordings(id);

    let same = simulate(&simulation(), &recordings);
    let back_off = |it: &Simulated| it.simulated.spent[&Activity::BackOff];
    assert_eq!(back_off(&same), same.recorded.spent[&Activity::BackOff]);
    assert_eq!((same.simulated.attempts, same.simulated.retries), (3, 2));

    let quicker = simulate(&simulation().with_change(policy(3, 0)), &recordings);
    assert_eq!(quicker.simulated.took_ms, 30 + 30 + 70);
    assert!(quicker.is_same_end() && quicker.assumptions.is_empty());

    let fewer = simulate(&simulation().with_change(policy(2, 0)), &recordings);
    assert_eq!(fewer.simulated.status, Status::Failed);
    assert!(!fewer.is_same_end());
}

#[test]
fn a_further_attempt_ends_as_the_last_one_and_that_is_told() {
    let mut host = Host::new();
    let (workflow, says) = often(2);
    let id = host.run(&workflow, says, nobody);
    let more = simulation().with_change(policy(4, 0));
    let done = simulate(&more, &host.recordings(id));
    assert_eq!((done.recorded.attempts, done.simulated.attempts), (2, 4));
    let assumed: Vec<_> = done.assumptions.iter().map(|it| &it.what).collect();
    assert_eq!(assumed, [&Assumed::Further(3), &Assumed::Further(4)]);
    assert!(done.assumptions.iter().all(|it| it.node == "a"));
    assert_eq!(done.simulated.took_ms, 4 * 30);
}

#[test]
fn r21_instances_take_as_long_as_each_took() {
    let mut host = Host::new();
    let map = json!({
        "type": "map", "over": "state.all", "max_concurrent": 4,
        "body": { "type": "tool", "tool_ref": "t" }
    });
    let mut workflow = tools("a -> each");
    workflow["nodes"]["each"] = json!({ "kind": map });
    let says = |node: &str, _| match node {
        "a" => (10, Ok(json!({ "all": [1, 2, 3, 4] }))),
        "each[2]" => (400, Ok(json!(2))),
        _ => (100, Ok(json!(0))),
    };
    let id = host.run(&workflow, says, nobody);
    let recordings = host.recordings(id);
    let done = simulate(&simulation(), &recordings);
    assert_eq!(done.recorded, done.simulated);
    let two = NonZeroUsize::new(2).expect("two is not zero");
    let done = simulate(&simulation().with_workers(two), &recordings);
    assert_eq!(done.simulated.took_ms, 10 + 100 + 400);
    assert!(done.is_same_end(), "{done:?}");
}

/// The divergent guest orders what is ready at once the other way round.
#[test]
fn another_guest_schedules() {
    let mut host = Host::new();
    let (workflow, says) = fan();
    let id = host.run(&workflow, says, nobody);
    let mut library = library();
    let digest = library
        .add(DIVERGENT.committed().expect("it is committed"))
        .expect("it is a guest");
    let one = NonZeroUsize::new(1).expect("one is not zero");
    let other = Simulation::new(library)
        .with_guest(&digest)
        .with_workers(one);
    let done = simulate(&other, &host.recordings(id));
    assert_eq!(done.guest_digest, digest);
    // The longest first: the others wait for longer.
    assert_eq!(done.simulated.spent[&Activity::Queue], 300 + 500);
    let missing = simulation().with_guest("0".repeat(64));
    let refused = missing.run(&host.recordings(id));
    assert!(matches!(refused, Err(SimulationError::NoGuest(_))));
}

/// A worker that died is dead for as long, and one that was stopped never answers.
#[test]
fn attempts_without_an_answer() {
    let mut host = Host::new();
    let mut workflow = single(json!({
        "kind": { "type": "tool", "tool_ref": "t" }, "retry_policy": "often"
    }));
    workflow["retry_policies"] = json!({ "often": {
        "max_attempts": 3, "backoff": "fixed", "initial_delay": 0, "jitter": false
    } });
    let says = |_: &str, attempt| match attempt {
        1 => (900_000, Ok(json!({}))),
        _ => (50, Ok(json!({}))),
    };
    let id = host.run(&workflow, says, nobody);
    let done = simulate(&simulation(), &host.recordings(id));
    assert!(
        done.is_same_end() && done.assumptions.is_empty(),
        "{done:?}"
    );
    let apart = done.recorded.took_ms.abs_diff(done.simulated.took_ms);
    assert!(apart <= TICK, "{done:?}");

    let never = |_: &str, _| (900_000, Ok(json!({})));
    let mut other = tools("s -> t");
    other["workflow_id"] = json!("other");
    let id = host.run(&other, never, |host, execution, now| {
        if now == 300 {
            host.call(execution.cancel(None));
        }
    });
    let done = simulate(&simulation(), &host.recordings(id));
    assert!(done.is_same_end(), "{done:?}");
    let stopped = Assumed::Stopped(1, Duration::from_millis(300));
    assert_eq!(done.assumptions[0].what, stopped);
}
