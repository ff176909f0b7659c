//! The budgets of a turn: who is cut off goes on in the next one, and nobody has
//! to wait for all that somebody costly has in store.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use refrain::limits::{COSTLY_CALL_FUEL, TurnLimits};
use refrain::model::{EventKind, Status};
use refrain::replay::{Audit, Auditor, Verdict, from_store};
use refrain::store::ExecutionRecord;
use refrain::{
    Engine, Execution, ExecutionId, ManualClock, Next, Start, Steps, WorkItem, Workflow,
};
use refrain_tests::checkers::{Rest, nothing_waits_now};
use refrain_tests::component::workspace;
use refrain_tests::engines::{BEGIN, Place, audit_all, library};
use refrain_tests::wat_guest::{TAKE_ALL, WatGuest, assembled};
use refrain_tests::workflows::single;
use serde_json::json;

use super::scene::{Scene, side_by_side};

/// So little that each step uses up its share of the turn: of fuel, or of bytes.
fn nothing() -> TurnLimits {
    TurnLimits {
        fuel: 1,
        ..TurnLimits::default()
    }
}

fn no_bytes() -> TurnLimits {
    TurnLimits {
        bytes: 1,
        ..TurnLimits::default()
    }
}

fn stored(place: &Place, id: ExecutionId) -> ExecutionRecord {
    let record = place.store().execution(id).expect("it can be read");
    record.expect("it is there")
}

fn audited(place: &Place, id: ExecutionId) -> Audit {
    let mut library = library();
    let audit = Auditor::new(&mut library).audit_stored(place.store().as_mut(), id);
    audit.expect("it can be audited").expect("it is there")
}

/// A scene whose turns are used up by each step, and which has gone on until an
/// execution of 40 nodes was cut off.
fn cut_off(place: Place, turn_limits: TurnLimits) -> (Scene, ExecutionId) {
    let limits = refrain::model::Limits {
        max_concurrent_nodes: 64,
        max_dispatch_per_tick: 2,
    };
    let mut scene = Scene::like(place, 3, |builder| {
        builder.turn_limits(turn_limits).limits(limits)
    });
    let execution = scene.start(&side_by_side(40, &json!({})));
    for _ in 0..20 {
        if stored(&scene.place, execution.id()).head.sequence > 8 {
            return (scene, execution.id());
        }
        scene.steps.step();
    }
    panic!("it does not go on");
}

/// It is written with what it has, says so, and audits clean, as what it is:
/// from the store and from an export.
#[test]
fn law2_who_is_cut_off_is_owed_a_step_and_clean() {
    let each = Place::each().into_iter();
    for (place, limits) in each.zip([nothing(), no_bytes()]) {
        let (scene, id) = cut_off(place, limits);
        let record = stored(&scene.place, id);
        assert!(record.is_owed_a_step(), "{record:?}");
        assert_eq!(record.next_wake, Some(BEGIN));
        let audit = audited(&scene.place, id);
        assert_eq!(audit.verdict, Verdict::Clean, "{:?}", audit.divergence);
        assert!(audit.owed_a_step);

        let recording = from_store(scene.place.store().as_mut(), id);
        let recording = recording.expect("it can be read").expect("it is there");
        let export = recording.expect("it is whole").export(Vec::new());
        let export = String::from_utf8(export.expect("a vector takes it")).expect("it is text");
        let mut library = library();
        let mut of_export = |text: &str| {
            let audit = Auditor::new(&mut library).audit_export(text.as_bytes(), "the export");
            audit.expect("it can be audited")
        };
        let audit = of_export(&export);
        assert_eq!((audit.verdict, audit.owed_a_step), (Verdict::Clean, true));
        // Without that evidence what is missing is missing.
        let unsaid = export.replace(r#","owed_a_step":true"#, "");
        assert_ne!(unsaid, export);
        assert_eq!(of_export(&unsaid).verdict, Verdict::Divergent);
    }
}

/// A part of a batch is no batch, whatever is said besides it.
#[test]
fn law2_a_batch_that_is_cut_within_is_divergent() {
    let (scene, id) = cut_off(Place::memory(), nothing());
    let recording = from_store(scene.place.store().as_mut(), id);
    let recording = recording.expect("it can be read").expect("it is there");
    let mut recording = recording.expect("it is whole");
    let within = |recording: &refrain::replay::Recording| {
        let export = recording.export(Vec::new()).expect("a vector takes it");
        let mut library = library();
        let audit = Auditor::new(&mut library).audit_export(&export[..], "the export");
        audit.expect("it can be audited")
    };
    let mut verdicts = Vec::new();
    for _ in 0..2 {
        recording.events.pop();
        let last = recording.events.last().expect("there are more");
        recording.head = last.head();
        verdicts.push(within(&recording).verdict);
    }
    assert!(verdicts.contains(&Verdict::Divergent), "{verdicts:?}");
}

/// A stall was lifted, and the guest would fail again at the step that is owed: the
/// host's next stall is what is missing, and that is clean.
#[test]
fn law2_a_guest_that_fails_at_the_step_that_is_owed_leaves_a_clean_log() {
    for place in Place::each() {
        let traps = assembled(&workspace().join("tests/guests/hostile/trap.wat"));
        let builder = Engine::builder().boxed_store(place.store()).seed(3);
        let builder = builder.turn_limits(nothing());
        let builder = builder.guest(traps.expect("it can be assembled"));
        let (engine, mut steps) = builder.stepped().expect("an engine");
        register(&engine, &mut steps);
        let ids = [(); 3].map(|()| {
            let started = steps.until(engine.start("w", "1.0.0", json!({})));
            started.expect("it is answered").expect("it begins").id()
        });
        let lifts = ids.map(|id| Some(Box::pin(lift(engine.execution(id)))));
        assert_eq!(Calls(lifts.into()).answered(), 0);
        // All are lifted in one turn, and one of them uses it up.
        steps.step();
        let owed = ids.map(|id| {
            let record = stored(&place, id);
            let audit = audited(&place, id);
            assert_eq!(audit.verdict, Verdict::Clean, "{:?}", audit.divergence);
            assert_eq!(audit.owed_a_step, record.is_owed_a_step());
            audit.owed_a_step
        });
        assert!(owed.contains(&true), "{owed:?}");
    }
}

/// The next host goes on where this one was cut off, at the time at which it
/// was, however much later that is.
#[test]
fn law2_whoever_has_it_next_goes_on_at_its_time() {
    for place in Place::each() {
        let (scene, id) = cut_off(place, nothing());
        let place = scene.into_place();
        let clock = ManualClock::new(BEGIN + 60_000);
        let builder = Engine::builder().boxed_store(place.store()).clock(clock);
        let (engine, mut steps) = builder.seed(7).stepped().expect("it can be put together");
        // What it is told comes after what it is owed.
        let paused = steps.until(engine.execution(id).pause(None));
        paused.expect("it is answered").expect("it is paused");
        while steps.step() == Next::Now {}
        let log = place.store().events(id, 1, 1_000).expect("a log");
        let scheduled = |kind: &EventKind| matches!(kind, EventKind::NodeScheduled(_));
        let before = log.iter().filter(|it| it.event.at == BEGIN);
        assert_eq!(before.filter(|it| scheduled(&it.event.kind)).count(), 40);
        let last = &log.last().expect("it has events").event;
        assert!(
            matches!(last.kind, EventKind::ExecutionPaused(_)),
            "{last:?}"
        );
        assert_eq!(last.at, BEGIN + 60_000);
        assert!(!stored(&place, id).is_owed_a_step());
        drop((steps, engine));
        audit_all(&place, "taken over");
    }
}

/// Somebody else's claim comes upon it before it has gone on: what waits is found
/// again when it has.
#[test]
fn what_has_to_wait_for_a_claim_is_found_later() {
    for place in Place::each() {
        let (scene, _) = cut_off(place, nothing());
        let place = scene.into_place();
        let builder = Engine::builder().boxed_store(place.store()).seed(7);
        let (engine, mut steps) = builder
            .clock(ManualClock::new(BEGIN))
            .stepped()
            .expect("it can be put together");
        engine.work_with_slots("tool", 64, |_: WorkItem| {
            std::future::pending::<Result<serde_json::Value, _>>()
        });
        let claimed = steps.until(engine.claim("tool", 64, "outside"));
        claimed.expect("it is answered").expect("nothing is wrong");
        let rest = (0..100).find_map(|_| Rest::of(steps.step(), &steps));
        let rest = rest.expect("it comes to rest");
        nothing_waits_now(place.store().as_mut(), &rest).expect("nothing waits");
    }
}

/// All go on, in turns, until all have ended.
#[test]
fn several_that_are_cut_off_go_on_side_by_side() {
    for place in Place::each() {
        let mut scene = Scene::like(place, 3, |builder| builder.turn_limits(nothing()));
        scene.engine.work("tool", |_| async { Ok(json!({})) });
        let ids: Vec<_> = (4..9)
            .map(|nodes| scene.start(&side_by_side(nodes, &json!({}))).id())
            .collect();
        for _ in 0..2_000 {
            if scene.steps.step() != Next::Now {
                break;
            }
        }
        let never_answered = 3;
        let ended = ids
            .iter()
            .filter(|id| stored(&scene.place, **id).status == Status::Completed);
        assert!(ended.count() >= ids.len() - never_answered);
        scene.end();
    }
}

/// Burns so much fuel in a loop of six instructions, and some more.
fn burn(fuel: u64) -> String {
    format!(
        "(local $left i64) (local.set $left (i64.const {}))
        (loop $again
            (local.set $left (i64.sub (local.get $left) (i64.const 1)))
            (br_if $again (i64.ne (local.get $left) (i64.const 0))))",
        fuel / 6
    )
}

/// Takes every fact, says that nothing follows, and burns much for it.
fn costly() -> Vec<u8> {
    let step = format!("{} {TAKE_ALL}", burn(2 * COSTLY_CALL_FUEL));
    let guest = WatGuest {
        step: &step,
        ..WatGuest::default()
    };
    guest.component().expect("it can be assembled")
}

fn register(engine: &Engine, steps: &mut Steps) {
    let kind = json!({ "kind": { "type": "tool", "tool_ref": "t" } });
    let workflow = Workflow::from_json(single(kind).to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
}

/// Calls that were made, and which of them are answered.
struct Calls<F>(Vec<Option<std::pin::Pin<Box<F>>>>);

impl<F: Future<Output = Result<(), refrain::EngineError>>> Calls<F> {
    fn answered(&mut self) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        for call in &mut self.0 {
            if let Some(pending) = call
                && let Poll::Ready(answer) = pending.as_mut().poll(&mut context)
            {
                answer.expect("it is taken");
                *call = None;
            }
        }
        self.0.iter().filter(|call| call.is_none()).count()
    }
}

async fn lift(execution: Execution) -> Result<(), refrain::EngineError> {
    execution.lift_stall(None).await
}

async fn pause(execution: Execution) -> Result<(), refrain::EngineError> {
    execution.pause(None).await
}

/// Two hundred facts of an execution whose calls are costly are in the queue, and
/// then comes one of an honest one: it is answered after two turns at most, and
/// the others after it, in turns that each end.
#[test]
fn an_honest_fact_does_not_wait_for_all_costly_ones() {
    for place in Place::each() {
        let builder = || Engine::builder().boxed_store(place.store()).seed(3);
        let (engine, mut steps) = builder().stepped().expect("an engine");
        register(&engine, &mut steps);
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        let honest = started.expect("it is answered").expect("it starts").id();
        drop((engine, steps));
        let builder = builder().seed(4).guest(costly());
        let (engine, mut steps) = builder.stepped().expect("an engine");
        let started = steps.until(engine.start_with(Start::new("w", "1.0.0", json!({}))));
        let hostile = started.expect("it is answered").expect("it starts").id();

        let costly = (0..200).map(|_| Some(Box::pin(pause(engine.execution(hostile)))));
        let mut costly = Calls(costly.collect());
        assert_eq!(costly.answered(), 0);
        let mut fact = pin!(pause(engine.execution(honest)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(fact.as_mut().poll(&mut context).is_pending());
        steps.step();
        steps.step();
        let Poll::Ready(Ok(())) = fact.as_mut().poll(&mut context) else {
            panic!(
                "the honest one waits, and {} others do not",
                costly.answered()
            );
        };
        let first = costly.answered();
        assert!(first < 20, "{first} costly calls went before it");
        // They are not forgotten, each turn takes some.
        let turns = (1..100).find(|_| {
            steps.step();
            costly.answered() == 200
        });
        assert!(turns.is_some_and(|turns| turns > 10), "{turns:?} turns");
        assert_ne!(steps.step(), Next::Ended);
    }
}
