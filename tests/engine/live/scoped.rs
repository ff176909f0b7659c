//! An engine that works on some executions only: nothing of the others is woken,
//! claimed, or taken from its worker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use refrain::model::Status;
use refrain::store::{ListFilter, Many};
use refrain::{
    Builder, Engine, EngineError, Execution, ExecutionId, ManualClock, Next, Start, Steps,
    WorkItem, Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all, rest};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};

/// An engine that is stepped by hand, and how much its workers have done.
struct Host {
    engine: Engine,
    steps: Steps,
    done: Arc<AtomicUsize>,
}

impl Host {
    fn new(
        place: &Place,
        clock: &ManualClock,
        seed: u64,
        like: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let builder = Engine::builder()
            .boxed_store(place.store())
            .clock(clock.clone())
            .lease(Duration::from_secs(10))
            .seed(seed);
        let (engine, steps) = like(builder).stepped().expect("it can be put together");
        let done = Arc::default();
        Self {
            engine,
            steps,
            done,
        }
    }

    /// With workers that answer at once.
    fn at_work(self) -> Self {
        let counted = Arc::clone(&self.done);
        self.engine.work("tool", move |_: WorkItem| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok(json!({})) }
        });
        self
    }

    fn call<T>(&mut self, call: impl Future<Output = Result<T, EngineError>>) -> T {
        let answer = self.steps.until(call).expect("it is answered");
        answer.expect("it does")
    }

    fn start(&mut self, workflow: &Value) -> Execution {
        self.start_with(workflow, |start| start)
    }

    fn start_with(&mut self, workflow: &Value, like: impl FnOnce(Start) -> Start) -> Execution {
        let parsed = Workflow::from_json(workflow.to_string()).expect("JSON");
        self.call(self.engine.clone().register(parsed));
        let id = workflow["workflow_id"].as_str().expect("a text");
        let start = like(Start::new(id, "1.0.0", json!({})));
        self.call(self.engine.clone().start_with(start))
    }

    /// Go on until there is nothing more to do now.
    fn rests(&mut self) -> Next {
        rest(&mut self.steps)
    }

    fn done(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }
}

fn named(id: &str, node: Value) -> Value {
    let mut workflow = single(node);
    workflow["workflow_id"] = json!(id);
    workflow
}

fn timer() -> Value {
    json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 5 } })
}

/// Executions of others, of each kind that an engine would go on with: one is
/// claimed by a worker that does not come back, one waits for a worker, one for
/// a time.
fn others(place: &Place, clock: &ManualClock) -> [ExecutionId; 3] {
    let mut host = Host::new(place, clock, 9, |builder| builder);
    let claimed = host.start(&named("claimed", tool())).id();
    let claim = host.engine.clone();
    let claims = host.call(claim.claim("tool", 1, "nobody"));
    assert_eq!(claims.len(), 1);
    let waits = host.start_with(&named("waits", tool()), |start| start.key("once"));
    let waits = waits.id();
    let sleeps = host.start(&named("sleeps", timer())).id();
    [claimed, waits, sleeps]
}

/// How far each execution has come.
fn events(place: &Place) -> BTreeMap<ExecutionId, u64> {
    let all = ListFilter {
        max: 100,
        ..ListFilter::default()
    };
    let records = place.store().list(&all).and_then(Many::all);
    let of = |record: refrain::store::ExecutionRecord| (record.id, record.head.sequence);
    records.expect("a list").into_iter().map(of).collect()
}

/// A minute passes, second by second.
fn a_minute_passes(clock: &ManualClock, host: &mut Host) {
    for _ in 0..60 {
        clock.advance(Duration::from_secs(1));
        host.rests();
    }
}

#[test]
fn what_is_not_its_own_is_neither_claimed_nor_woken_nor_taken_from_its_worker() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let theirs = others(&place, &clock);
        let before = events(&place);
        let mut host = Host::new(&place, &clock, 1, |builder| builder.only([])).at_work();
        let own = host.start(&named("own", tool()));
        assert_eq!(host.rests(), Next::WhenAsked, "nothing of it is due");
        let finished = host.call(own.finished());
        assert_eq!(finished.status, Status::Completed);
        a_minute_passes(&clock, &mut host);
        let after = events(&place);
        for id in theirs {
            assert_eq!(after[&id], before[&id], "{id}");
        }
        assert_eq!(host.done(), 1, "its own");
        // An engine that works on all goes on with all of it.
        let mut all = Host::new(&place, &clock, 2, |builder| builder).at_work();
        a_minute_passes(&clock, &mut all);
        let records = theirs.map(|id| all.call(all.engine.execution(id).record()));
        assert!(records.iter().all(|it| it.status == Status::Completed));
        audit_all(&place, "a scope");
    }
}

#[test]
fn what_is_its_own_is_claimed_woken_and_taken_from_who_is_gone() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let all = others(&place, &clock);
        for (number, own) in (1..).zip(all) {
            let before = events(&place);
            let host = Host::new(&place, &clock, number, |builder| builder.only([own]));
            let mut host = host.at_work();
            a_minute_passes(&clock, &mut host);
            let record = host.call(host.engine.execution(own).record());
            assert_eq!(record.status, Status::Completed, "{own}");
            let after = events(&place);
            for id in all.into_iter().filter(|id| *id != own) {
                assert_eq!(after[&id], before[&id], "{id}");
            }
        }
        audit_all(&place, "a scope");
    }
}

#[test]
fn a_key_that_has_started_one_before_makes_it_its_own() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let [claimed, waits, _] = others(&place, &clock);
        let before = events(&place);
        let mut host = Host::new(&place, &clock, 1, |builder| builder.only([])).at_work();
        host.rests();
        let found = host.start_with(&named("waits", tool()), |start| start.key("once"));
        assert_eq!(found.id(), waits);
        assert_eq!(host.call(found.finished()).status, Status::Completed);
        a_minute_passes(&clock, &mut host);
        assert_eq!(events(&place)[&claimed], before[&claimed]);
        assert_eq!(host.done(), 1);
        audit_all(&place, "a scope");
    }
}

/// One whose time had come before it was found by its key.
#[test]
fn what_was_due_before_a_key_found_it_is_due() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut other = Host::new(&place, &clock, 9, |builder| builder);
        other.start_with(&named("sleeps", timer()), |start| start.key("once"));
        drop(other);
        clock.advance(Duration::from_secs(3_600));
        let mut host = Host::new(&place, &clock, 1, |builder| builder.only([])).at_work();
        host.rests();
        let found = host.start_with(&named("sleeps", timer()), |start| start.key("once"));
        assert_eq!(host.call(found.finished()).status, Status::Completed);
    }
}

/// What a key finds is worked on with its children, also those of a child that has ended
/// and left a child to itself.
#[test]
fn the_children_of_what_a_key_found_are_worked_on() {
    let leaf = json!({ "start_node": "x", "nodes": { "x": tool() } });
    let alone = json!({ "type": "subgraph", "detached": true, "body": leaf });
    let between = json!({ "start_node": "y", "nodes": { "y": { "kind": alone } } });
    let of_one = json!({ "kind": { "type": "subgraph", "body": leaf } });
    let of_two = json!({ "kind": { "type": "subgraph", "body": between } });
    let mut workflow = named("tree", of_one);
    workflow["nodes"]["b"] = of_two;
    workflow["nodes"]["c"] = json!({ "kind": { "type": "parallel", "branches": ["a", "b"] } });
    workflow["start_node"] = "c".into();
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut other = Host::new(&place, &clock, 9, |builder| builder);
        other.start_with(&workflow, |start| start.key("once"));
        other.rests();
        drop(other);
        let mut host = Host::new(&place, &clock, 1, |builder| builder.only([])).at_work();
        host.rests();
        let found = host.start_with(&workflow, |start| start.key("once"));
        assert_eq!(host.call(found.finished()).status, Status::Completed);
        host.rests();
        assert_eq!(host.done(), 2);
        audit_all(&place, "a scope");
    }
}

#[test]
fn what_is_asked_of_others_is_done_and_their_work_left_to_others() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let [claimed, waits, sleeps] = others(&place, &clock);
        let mut host = Host::new(&place, &clock, 1, |builder| builder.only([])).at_work();
        host.call(host.engine.execution(waits).pause(None));
        host.call(host.engine.execution(waits).unpause(None));
        host.call(host.engine.execution(sleeps).cancel(None));
        let taken = host.engine.clone();
        assert!(host.call(taken.claim("tool", 9, "outside")).is_empty());
        host.rests();
        assert_eq!(host.done(), 0);
        let record = host.call(host.engine.execution(sleeps).record());
        assert_eq!(record.status, Status::Cancelled);
        for id in [claimed, waits] {
            let record = host.call(host.engine.execution(id).record());
            assert_eq!(record.status, Status::Running);
        }
        audit_all(&place, "a scope");
    }
}

#[test]
fn what_others_do_to_its_own_is_noticed() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut host = Host::new(&place, &clock, 1, |builder| builder.only([])).at_work();
        let approval = json!({ "kind": { "type": "human_approval", "description": "?" } });
        let mut workflow = named("own", approval);
        workflow["nodes"]["b"] = tool();
        workflow["edges"] = json!([{ "from": "a", "to": "b" }]);
        let own = host.start(&workflow);
        assert_eq!(host.rests(), Next::WhenAsked);
        let mut other = Host::new(&place, &clock, 2, |builder| builder.only([own.id()]));
        let there = other.engine.execution(own.id());
        other.call(there.approve("a", refrain::Approval::approved("ada")));
        assert_eq!(host.rests(), Next::WhenAsked);
        assert_eq!(host.call(own.finished()).status, Status::Completed);
        assert_eq!(host.done(), 1);
        audit_all(&place, "a scope");
    }
}

/// Two at once, one after the other in turn: each does its own, and no more.
#[test]
fn two_on_one_store_do_each_their_own() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut hosts = [1, 2].map(|seed| {
            let host = Host::new(&place, &clock, seed, |builder| builder.only([]));
            host.at_work()
        });
        let mut own = Vec::new();
        for (number, host) in hosts.iter_mut().enumerate() {
            for _ in 0..=number {
                own.push((number, host.start(&named("own", tool())).id()));
            }
        }
        for _ in 0..20 {
            for host in &mut hosts {
                host.steps.step();
            }
        }
        for (number, id) in own {
            let host = &mut hosts[number];
            let record = host.call(host.engine.execution(id).record());
            assert_eq!(record.status, Status::Completed);
        }
        assert_eq!(hosts.map(|host| host.done()), [1, 2]);
        audit_all(&place, "a scope");
    }
}

/// The simulated time of one goes to the end of its wait; the other one's log
/// does not.
#[test]
fn simulated_time_is_that_of_its_own() {
    for place in Place::each_simulated() {
        let clock = ManualClock::new(BEGIN);
        let simulated = |builder: Builder| builder.simulated(true);
        let long =
            json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 86_400 } });
        let mut other = Host::new(&place, &clock, 9, |builder| simulated(builder).only([]));
        // One turn: it has begun, and its time has not come.
        let theirs = other.start(&named("long", long)).id();
        drop(other);
        let before = events(&place);
        let mut host = Host::new(&place, &clock, 1, |builder| simulated(builder).only([]));
        let own = host.start(&named("own", timer()));
        let ended = host.call(own.finished());
        assert_eq!(ended.status, Status::Completed);
        host.rests();
        assert_eq!(events(&place)[&theirs], before[&theirs]);
        let record = host.call(own.record());
        assert_eq!(record.last_at, BEGIN + 5_000, "its own time");
        let mut all = Host::new(&place, &clock, 2, simulated);
        let there = all.engine.execution(theirs);
        assert_eq!(all.call(there.finished()).status, Status::Completed);
        audit_all(&place, "a scope");
    }
}
