//! What people and other programs did is done again.

use refrain::replay::timeline::Activity;
use refrain::simulation::{Assumed, Simulated};
use refrain::{Approval, WorkError};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::host::{Host, often, policy, simulate, simulation};

/// People take as long from when they are asked, and other programs' events come as late.
#[test]
fn who_ended_a_wait_does_so_after_the_same_time() {
    let mut host = Host::new();
    let mut workflow = tools("a -> ask, a -> hear, ask -> b, hear -> b");
    workflow["nodes"]["ask"] = json!({ "kind": { "type": "human_approval", "description": "?" } });
    workflow["nodes"]["hear"] = json!({ "kind": {
        "type": "wait", "condition": "external_event", "correlation_key": "k"
    } });
    let says = |_: &str, attempt| match attempt {
        1 => (100, Err(WorkError::retryable("not yet"))),
        _ => (100, Ok(json!({}))),
    };
    workflow["retry_policies"] = json!({ "often": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "jitter": false
    } });
    workflow["nodes"]["a"]["retry_policy"] = json!("often");
    workflow["nodes"]["b"]["retry_policy"] = json!("often");
    let id = host.run(&workflow, says, |host, execution, now| match now {
        1_500 => host.call(execution.approve("ask", Approval::approved("ada"))),
        1_700 => {
            host.call(execution.signal("k", json!({ "x": 1 })));
        }
        _ => {}
    });
    let recordings = host.recordings(id);
    let same = simulate(&simulation(), &recordings);
    assert_eq!(same.recorded, same.simulated);
    let quick = simulate(&simulation().with_change(policy(2, 0)), &recordings);
    assert!(quick.is_same_end(), "{quick:?}");
    let of = |it: &Simulated, activity| it.simulated.spent[&activity];
    assert_eq!(of(&quick, Activity::Person), 300);
    assert_eq!(of(&quick, Activity::Event), 500);
    // One second less before they are asked, and one between the attempts of the last node.
    assert_eq!(quick.recorded.took_ms - quick.simulated.took_ms, 2_000);
}

#[test]
fn what_operators_did_is_done_again() {
    let mut host = Host::new();
    let workflow = tools("a -> b");
    let says = |node: &str, attempt| match (node, attempt) {
        ("a", 1) => (50, Err(WorkError::permanent("broken"))),
        _ => (50, Ok(json!({}))),
    };
    let mut workflow = workflow;
    workflow["retry_policies"] = json!({ "stop": {
        "max_attempts": 1, "backoff": "fixed", "initial_delay": 0, "on_exhausted": "pause"
    } });
    workflow["nodes"]["a"]["retry_policy"] = json!("stop");
    let id = host.run(&workflow, says, |host, execution, now| match now {
        200 => host.call(execution.clone().by("ada").retry("a", Some("mended"))),
        210 => host.call(execution.pause(None)),
        500 => host.call(execution.unpause(None)),
        _ => {}
    });
    let done = simulate(&simulation(), &host.recordings(id));
    assert_eq!(done.recorded, done.simulated);
    assert!(
        done.is_same_end() && done.assumptions.is_empty(),
        "{done:?}"
    );
}

#[test]
fn what_people_do_not_do_now_is_told() {
    let mut host = Host::new();
    let (workflow, says) = often(3);
    let id = host.run(&workflow, says, |host, execution, now| match now {
        1_000 => host.call(execution.pause(None)),
        1_100 => host.call(execution.unpause(None)),
        _ => {}
    });
    let quick = simulation().with_change(policy(3, 0));
    let done = simulate(&quick, &host.recordings(id));
    assert!(done.is_same_end(), "{done:?}");
    let told: Vec<_> = done.assumptions.iter().map(|it| &it.what).collect();
    let not_done = |what: &str| Assumed::NotDone(what.to_owned());
    assert_eq!(told, [&not_done("pause"), &not_done("unpause")]);
}
