//! Whatever frees a worker's slot, within a turn or between two, leads to
//! another look at what waits: nothing that may be claimed waits while a worker
//! of its queue is free.

use std::time::Duration;

use refrain::model::Status;
use refrain_tests::engines::Place;
use refrain_tests::workflows::{single, tool};
use serde_json::json;

use super::scene::{Scene, side_by_side};

#[test]
fn r14_what_times_out_together_leaves_its_slots_to_others() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 4);
        let once = json!({ "node_timeout_secs": 1, "retry_policy": "no_retry" });
        let execution = scene.start(&side_by_side(10, &once));
        assert_eq!(scene.begun(), 4);
        scene.clock.advance(Duration::from_secs(1));
        assert_eq!(scene.begun(), 8, "four time out in one turn");
        scene.clock.advance(Duration::from_secs(1));
        assert_eq!(scene.begun(), 10);
        scene.clock.advance(Duration::from_secs(1));
        scene.begun();
        let record = scene.steps.until(execution.record());
        let record = record.expect("it is answered").expect("it is there");
        assert_eq!(record.status, Status::Failed);
        scene.end();
    }
}

#[test]
fn r17_a_cancelled_execution_leaves_its_slots_to_others() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 3);
        let first = scene.start(&side_by_side(3, &json!({})));
        assert_eq!(scene.begun(), 3);
        scene.start(&side_by_side(2, &json!({})));
        assert_eq!(scene.begun(), 3, "no slot is free");
        let cancelled = scene.steps.until(first.cancel(None));
        cancelled.expect("it is answered").expect("it is taken");
        assert_eq!(scene.begun(), 5);
        scene.end();
    }
}

#[test]
fn r14_a_workflow_that_times_out_leaves_its_slots_to_others() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 1);
        let mut short = side_by_side(1, &json!({}));
        short["timeouts"] = json!({ "workflow_timeout": 1 });
        scene.start(&short);
        let mut other = single(tool());
        other["workflow_id"] = json!("other");
        scene.start(&other);
        assert_eq!(scene.begun(), 1);
        scene.clock.advance(Duration::from_secs(1));
        assert_eq!(scene.begun(), 2);
        scene.end();
    }
}

#[test]
fn r18_what_is_unpaused_is_claimed_at_once() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 2);
        let execution = scene.start(&side_by_side(
            4,
            &json!({ "node_timeout_secs": 5, "retry_policy": "no_retry" }),
        ));
        assert_eq!(scene.begun(), 2);
        let paused = scene.steps.until(execution.pause(None));
        paused.expect("it is answered").expect("it is taken");
        scene.clock.advance(Duration::from_secs(5));
        assert_eq!(
            scene.begun(),
            2,
            "timeouts are recorded, and nothing is claimed"
        );
        let unpaused = scene.steps.until(execution.unpause(None));
        unpaused.expect("it is answered").expect("it is taken");
        assert_eq!(scene.begun(), 4);
        scene.end();
    }
}

/// A look at the queue comes between a pause and its end, all in one turn.
#[test]
fn r18_what_is_paused_and_unpaused_in_one_turn_is_claimed_in_it() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 1);
        scene.start(&side_by_side(
            1,
            &json!({ "node_timeout_secs": 1, "retry_policy": "no_retry" }),
        ));
        let waiting = scene.start(&side_by_side(2, &json!({})));
        assert_eq!(scene.begun(), 1);
        scene.clock.advance(Duration::from_secs(1));
        let said = scene.steps.until(async {
            tokio::join!(
                waiting.pause(None),
                scene.engine.claim("tool", 1, "outside"),
                waiting.unpause(None),
            )
        });
        let (paused, claimed, unpaused) = said.expect("it is answered");
        paused.and(unpaused).expect("both are taken");
        assert_eq!(claimed.expect("a queue"), []);
        assert_eq!(scene.begun(), 2, "the slot that the timeout left is used");
        scene.end();
    }
}

/// Slots that an engine has itself, and claims from outside of it, are of one
/// queue: what the one gives up the other finds.
#[test]
fn r14_a_claim_from_outside_finds_what_a_timeout_left() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 1);
        let retried = json!({ "node_timeout_secs": 1 });
        scene.start(&side_by_side(1, &retried));
        assert_eq!(scene.begun(), 1);
        scene.clock.advance(Duration::from_secs(1));
        scene.begun();
        scene.start(&side_by_side(3, &json!({})));
        assert_eq!(scene.begun(), 2, "the free slot takes one of three");
        let claimed = scene.steps.until(scene.engine.claim("tool", 5, "outside"));
        let claimed = claimed.expect("it is answered").expect("a queue");
        assert_eq!(claimed.len(), 2, "{claimed:?}");
        scene.end();
    }
}
