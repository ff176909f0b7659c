//! A trouble that lasts is told once, then now and then, and when it is over.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use refrain::{Engine, ManualClock, Next, Start, Steps, Workflow};
use refrain_tests::engines::{BEGIN, Place, audit_all};
use refrain_tests::faulty_store::{Fate, FaultyStore, Plan};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What is logged, from warnings on.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().expect("no thread panics").clone()
    }

    fn with(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }
}

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut Message(&mut line));
        self.0.lock().expect("no thread panics").push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// How often an engine tries again.
const PAUSE: Duration = Duration::from_millis(250);

/// Ten minutes of trouble.
const TRIES: u32 = 10 * 60 * 4;

/// An engine on a store that can be told to fail, with an execution that is to
/// be woken in five seconds and one whose worker does not come back.
struct Scene {
    place: Place,
    plan: Plan,
    clock: ManualClock,
    steps: Steps,
    engine: Engine,
}

impl Scene {
    fn new(place: Place) -> Self {
        let (plan, clock) = (Plan::default(), ManualClock::new(BEGIN));
        let store = FaultyStore::boxed(place.store(), &plan);
        let builder = Engine::builder()
            .boxed_store(Box::new(store))
            .clock(clock.clone())
            .lease(Duration::from_secs(10))
            .seed(1);
        let (engine, steps) = builder.stepped().expect("it can be put together");
        let mut scene = Self {
            place,
            plan,
            clock,
            steps,
            engine,
        };
        scene.start("claimed", tool());
        let claims = scene.engine.clone();
        let claims = scene.steps.until(claims.claim("tool", 1, "nobody"));
        assert_eq!(claims.expect("it is answered").expect("claims").len(), 1);
        let timer = json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 5 } });
        scene.start("sleeps", timer);
        scene
    }

    fn start(&mut self, id: &str, node: Value) {
        let mut workflow = single(node);
        workflow["workflow_id"] = json!(id);
        let parsed = Workflow::from_json(workflow.to_string()).expect("JSON");
        let registered = self.steps.until(self.engine.register(parsed));
        registered.expect("it is answered").expect("it is valid");
        let started = self.steps.until(self.engine.start(id, "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts");
    }

    /// Time passes, and each try meets this.
    fn tries(&mut self, befalls: impl Fn(&Plan)) {
        for _ in 0..TRIES {
            self.clock.advance(PAUSE);
            befalls(&self.plan);
            self.steps.step();
        }
    }

    fn ends(mut self) {
        self.plan.next(Fate::Good);
        for _ in 0..100 {
            self.clock.advance(Duration::from_secs(1));
            while self.steps.step() == Next::Now {}
        }
        drop(self.steps);
        drop(self.engine);
        audit_all(&self.place, "it has lasted");
    }
}

#[test]
fn a_store_that_fails_for_ten_minutes_is_told_four_times_and_when_it_is_over() {
    for place in Place::each() {
        let lines = Lines::default();
        tracing::subscriber::with_default(lines.clone(), || {
            let mut scene = Scene::new(place);
            scene.tries(|plan| plan.next(Fate::Fails));
            assert_eq!(lines.with("a turn was not written"), 4, "{:?}", lines.all());
            assert_eq!(lines.with("this is over"), 0);
            // Found anew in each try, because no try is written.
            let expired = lines.with("lease expired");
            assert!((1..=4).contains(&expired), "{:?}", lines.all());
            scene.ends();
        });
        let over = lines.with("this is over, after ");
        assert_eq!(over, 1, "{:?}", lines.all());
        assert!(lines.all().len() <= 10, "{:?}", lines.all());
    }
}

#[test]
fn whatever_fails_is_told_now_and_then() {
    type Befalls = fn(&Plan);
    let ways: [(&str, Befalls); 6] = [
        ("nobody knows whether it was written", |plan| {
            plan.next(Fate::LostUnwritten);
        }),
        ("the first operation", |plan| plan.fail_after(0)),
        ("the second", |plan| plan.fail_after(1)),
        ("the fourth", |plan| plan.fail_after(3)),
        ("the sixth", |plan| plan.fail_after(5)),
        ("the eighth", |plan| plan.fail_after(7)),
    ];
    for (way, befalls) in ways {
        for place in Place::each() {
            let lines = Lines::default();
            tracing::subscriber::with_default(lines.clone(), || {
                let mut scene = Scene::new(place);
                scene.tries(befalls);
                scene.ends();
            });
            let all = lines.all();
            assert!((1..=20).contains(&all.len()), "{way}: {all:?}");
        }
    }
}

/// One that comes and goes is told no more often than one that stays.
#[test]
fn a_store_that_fails_now_and_then_is_told_now_and_then() {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let mut scene = Scene::new(Place::memory());
        for number in 0..TRIES / 4 {
            scene.clock.advance(4 * PAUSE);
            for fate in [Fate::Fails, Fate::Good] {
                scene.plan.next(fate);
                let start = Start::new("sleeps", "1.0.0", json!({})).key(number.to_string());
                let started = scene.steps.until(scene.engine.start_with(start));
                let started = started.expect("it is answered");
                assert_eq!(started.is_ok(), fate == Fate::Good);
            }
        }
        assert_eq!(lines.with("a turn was not written"), 8, "{:?}", lines.all());
        scene.ends();
    });
}
