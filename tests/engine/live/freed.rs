//! The rarer ways in which a slot or an item becomes free: each leads to another
//! look before the turn ends, or to a turn at once.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use refrain::guest::CallLimits;
use refrain::limits::TurnLimits;
use refrain::model::Status;
use refrain::store::{Reader, Store, StoreError};
use refrain::{Engine, Execution, ManualClock, Next, Steps, WorkItem};
use refrain_tests::engines::{BEGIN, Place};
use refrain_tests::faulty_store::{Fate, FaultyStore, Plan};
use serde_json::json;
use tokio::sync::Notify;

use super::scene::{Scene, side_by_side};

/// Another engine on the same store, without workers.
fn other(place: &Place, seed: u64) -> (Engine, Steps) {
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(ManualClock::new(BEGIN))
        .seed(seed);
    builder.stepped().expect("it can be put together")
}

fn status(place: &Place, execution: &Execution) -> Status {
    let record = place.store().execution(execution.id());
    record.expect("it can be read").expect("it is there").status
}

/// Many nodes take more fuel than one.
fn little_fuel() -> CallLimits {
    CallLimits {
        fuel: Some(5_000_000),
        fuel_per_byte: 0,
        ..CallLimits::default()
    }
}

#[test]
fn r20_what_is_skipped_leaves_its_slot_to_others() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 1);
        let execution = scene.start(&side_by_side(2, &json!({})));
        assert_eq!(scene.begun(), 1);
        let skipped = scene.steps.until(execution.skip("n00", None));
        skipped.expect("it is answered").expect("it is taken");
        assert_eq!(scene.begun(), 2);
        scene.end();
    }
}

#[test]
fn r17_what_another_engine_cancels_leaves_its_slot_to_others() {
    for place in Place::each() {
        let (far, mut far_steps) = other(&place, 2);
        let mut scene = Scene::new(place, 1);
        let first = scene.start(&side_by_side(1, &json!({})));
        scene.start(&side_by_side(2, &json!({})));
        assert_eq!(scene.begun(), 1);
        let cancelled = far_steps.until(far.execution(first.id()).cancel(None));
        cancelled.expect("it is answered").expect("it is taken");
        assert_eq!(scene.begun(), 2);
        scene.end();
    }
}

/// The slot is free twice over: its worker answers in the very turn in which its
/// execution is cancelled. One item is begun for it, and not two.
#[test]
fn r17_a_slot_that_is_freed_twice_over_counts_once() {
    for place in Place::each() {
        let mut scene = Scene::new(place, 0);
        let done = Arc::new(Notify::new());
        let begun = Arc::new(Mutex::new(Vec::new()));
        let (when, seen) = (Arc::clone(&done), Arc::clone(&begun));
        let work = move |item: WorkItem| {
            let when = Arc::clone(&when);
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(item.node_id);
            async move {
                when.notified().await;
                Ok(json!({}))
            }
        };
        scene.engine.work_with_slots("tool", 1, work);
        let first = scene.start(&side_by_side(1, &json!({})));
        scene.start(&side_by_side(3, &json!({})));
        let mut cancel = pin!(first.cancel(None));
        let mut context = Context::from_waker(Waker::noop());
        assert!(cancel.as_mut().poll(&mut context).is_pending());
        done.notify_waiters();
        scene.begun();
        assert_eq!(status(&scene.place, &first), Status::Cancelled);
        let begun = begun.lock().unwrap_or_else(PoisonError::into_inner).len();
        assert_eq!(begun, 2, "the first, and one of three");
        scene.end();
    }
}

/// The guest has too little fuel for the large one, which is stalled instead of
/// being claimed for.
#[test]
fn law9_what_is_stalled_when_it_is_claimed_leaves_its_place_to_others() {
    for place in Place::each() {
        let (far, mut far_steps) = other(&place, 2);
        let mut large = Vec::new();
        for nodes in [300, 301, 1] {
            let workflow = side_by_side(nodes, &json!({}));
            let parsed = refrain::Workflow::from_json(workflow.to_string()).expect("JSON");
            let registered = far_steps.until(far.register(parsed));
            registered.expect("it is answered").expect("it is valid");
            let id = format!("w{nodes}");
            let started = far_steps.until(far.start(&id, "1.0.0", json!({})));
            large.push(started.expect("it is answered").expect("it starts"));
        }
        drop((far, far_steps));
        let mut scene = Scene::like(place, 1, |builder| builder.call_limits(little_fuel()));
        assert_eq!(scene.begun(), 1, "the small one");
        for (place_in, expected) in [(0, Status::Stalled), (2, Status::Running)] {
            let found = status(&scene.place, &large[place_in]);
            assert_eq!(found, expected, "execution {place_in}");
        }
        // Lifted where there is fuel enough, it is claimed for in the same step.
        let place = scene.into_place();
        let mut scene = Scene::like(place, 1, |builder| builder.seed(9));
        let lifted = scene.engine.execution(large[0].id());
        let lifted = scene.steps.until(async { lifted.lift_stall(None).await });
        lifted.expect("it is answered").expect("it is lifted");
        assert_eq!(scene.begun(), 1);
    }
}

/// A turn whose outcome is unknown, and that was not written, is done anew: from
/// the slots as they were.
#[test]
fn law3_a_turn_that_is_done_anew_offers_what_it_frees_once() {
    for fate in [Fate::LostUnwritten, Fate::AnswerLost, Fate::Fails] {
        for place in Place::each() {
            let plan = Plan::default();
            let store = FaultyStore::boxed(place.store(), &plan);
            let mut scene = Scene::like(place, 1, |builder| builder.boxed_store(Box::new(store)));
            let short = json!({ "node_timeout_secs": 1, "retry_policy": "no_retry" });
            scene.start(&side_by_side(3, &short));
            assert_eq!(scene.begun(), 1);
            plan.next(fate);
            scene.clock.advance(Duration::from_secs(1));
            scene.begun();
            assert_eq!(scene.begun(), 2, "{fate:?}");
            scene.end();
        }
    }
}

#[test]
fn what_limits_cut_off_goes_into_turns_that_follow_at_once() {
    let one_of_each = TurnLimits {
        facts: 1,
        claims: 1,
        wakes: 1,
        expiries: 1,
        ..TurnLimits::default()
    };
    for place in Place::each() {
        let mut scene = Scene::like(place, 3, |builder| builder.turn_limits(one_of_each));
        let short = json!({ "node_timeout_secs": 1, "retry_policy": "no_retry" });
        for nodes in 1..4 {
            scene.start(&side_by_side(nodes, &short));
        }
        assert_eq!(scene.begun(), 3);
        scene.clock.advance(Duration::from_secs(1));
        assert_eq!(scene.begun(), 6, "three time out, one a turn");
        scene.end();
    }
}

/// Claims are cut off at one a turn, and one queue has many: the other queue has
/// its turn all the same, and so has a worker outside.
#[test]
fn no_queue_takes_all_claims() {
    let one_claim = TurnLimits {
        claims: 1,
        ..TurnLimits::default()
    };
    for place in Place::each() {
        let mut scene = Scene::like(place, 9, |builder| builder.turn_limits(one_claim));
        let commands = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&commands);
        scene
            .engine
            .work_with_slots("command", 9, move |_: WorkItem| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                std::future::pending::<Result<serde_json::Value, _>>()
            });
        let mut mixed = side_by_side(6, &json!({}));
        mixed["nodes"]["n05"] = json!({ "kind": { "type": "command", "argv": ["true"] } });
        scene.start(&mixed);
        for _ in 0..2 {
            scene.steps.step();
        }
        let commands = *commands.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(commands, 1, "two turns have two claims, one a queue");
        let claimed = scene.steps.until(scene.engine.claim("tool", 9, "outside"));
        let claimed = claimed.expect("it is answered").expect("a queue");
        assert_eq!(claimed.len(), 1, "own workers do not take all");
        scene.begun();
        scene.end();
    }
}

/// More is said in one turn than goes into it, all of it before the step.
#[test]
fn what_is_said_beyond_a_turn_is_heard_in_the_next() {
    let two_facts = TurnLimits {
        facts: 2,
        ..TurnLimits::default()
    };
    for place in Place::each() {
        let mut scene = Scene::like(place, 1, |builder| builder.turn_limits(two_facts));
        let execution = scene.start(&side_by_side(1, &json!({})));
        let keys = ["a", "b", "c", "d", "e"];
        let mut said: Vec<_> = keys
            .iter()
            .map(|key| Box::pin(execution.signal(key, json!({}))))
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        for signal in &mut said {
            assert!(signal.as_mut().poll(&mut context).is_pending());
        }
        while scene.steps.step() == Next::Now {}
        for signal in &mut said {
            assert!(signal.as_mut().poll(&mut context).is_ready());
        }
        drop(said);
        scene.end();
    }
}

/// What is said in the middle of a turn.
type Said = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A store that lets something be said when it is asked who is due.
struct Interrupted {
    inner: Box<dyn Store>,
    said: Said,
}

impl Interrupted {
    fn asked(&mut self, method: &'static str) -> Result<(), StoreError> {
        if method == "due" {
            let said = self
                .said
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(say) = said {
                say();
            }
        }
        Ok(())
    }
}

impl Store for Interrupted {
    refrain::delegate_store!(inner: begin, commit, rollback, purge, reopen, version, watched_file);
}

impl Reader for Interrupted {
    refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner after asked: due);
    refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}

/// Claimed and cancelled in one turn: its work never begins, and its slot goes
/// to another.
#[test]
fn r17_a_claim_that_its_own_turn_unmakes_takes_no_slot() {
    for place in Place::each() {
        let (far, mut far_steps) = other(&place, 2);
        let workflow = side_by_side(1, &json!({}));
        let parsed = refrain::Workflow::from_json(workflow.to_string()).expect("JSON");
        let registered = far_steps.until(far.register(parsed));
        registered.expect("it is answered").expect("it is valid");
        let mut start = || {
            let started = far_steps.until(far.start("w1", "1.0.0", json!({})));
            started.expect("it is answered").expect("it starts")
        };
        let (first, second) = (start(), start());
        let said = Said::default();
        let store = Interrupted {
            inner: place.store(),
            said: Arc::clone(&said),
        };
        let mut scene = Scene::like(place, 1, |builder| builder.boxed_store(Box::new(store)));
        let engine = scene.engine.clone();
        let id = first.id();
        *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(move || {
            let execution = engine.execution(id);
            let mut cancel = pin!(execution.cancel(None));
            let mut context = Context::from_waker(Waker::noop());
            assert!(cancel.as_mut().poll(&mut context).is_pending());
        }));
        assert_eq!(scene.begun(), 1, "only one was ever begun");
        assert_eq!(status(&scene.place, &first), Status::Cancelled);
        let mut store = scene.place.store();
        let log = store.events(second.id(), 1, 100).expect("a log");
        let kinds = format!("{log:?}");
        assert!(kinds.contains("NodeStarted"), "{kinds}");
        let log = store.events(first.id(), 1, 100).expect("a log");
        let kinds = format!("{log:?}");
        assert!(kinds.contains("NodeStarted"), "it was claimed: {kinds}");
        drop(store);
        scene.end();
    }
}

/// More is said in the middle of a turn than still goes into it.
#[test]
fn what_is_said_in_a_turn_and_beyond_it_is_heard_in_the_next() {
    for place in Place::each() {
        let (far, mut far_steps) = other(&place, 2);
        let workflow = side_by_side(1, &json!({}));
        let parsed = refrain::Workflow::from_json(workflow.to_string()).expect("JSON");
        let registered = far_steps.until(far.register(parsed));
        registered.expect("it is answered").expect("it is valid");
        let started = far_steps.until(far.start("w1", "1.0.0", json!({})));
        let id = started.expect("it is answered").expect("it starts").id();
        let said = Said::default();
        let store = Interrupted {
            inner: place.store(),
            said: Arc::clone(&said),
        };
        let two_facts = TurnLimits {
            facts: 2,
            ..TurnLimits::default()
        };
        let mut scene = Scene::like(place, 0, |builder| {
            builder.boxed_store(Box::new(store)).turn_limits(two_facts)
        });
        let engine = scene.engine.clone();
        *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(move || {
            let mut context = Context::from_waker(Waker::noop());
            for key in ["a", "b", "c", "d", "e"] {
                let execution = engine.execution(id);
                let mut signal = pin!(execution.signal(key, json!({})));
                assert!(signal.as_mut().poll(&mut context).is_pending());
            }
        }));
        scene.begun();
        let log = scene.place.store().events(id, 1, 100).expect("a log");
        let heard = log.iter().filter(|stored| {
            matches!(
                stored.event.kind,
                refrain::model::EventKind::ExternalEventReceived(_)
            )
        });
        assert_eq!(heard.count(), 5);
        scene.end();
    }
}
