//! What the schedule of executions would have been: the same answers and times of work,
//! scheduled anew.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use refrain::clock::ManualClock;
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::model::Status;
use refrain::replay::timeline::Activity;
use refrain::replay::{Change, Recording, from_store};
use refrain::simulation::{Assumed, Recordings, Simulated, Simulation, SimulationError, Unended};
use refrain::{
    Approval, ClaimId, Engine, Execution, ExecutionId, Next, Steps, WorkError, Workflow,
};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::Place;
use refrain_tests::workflows::{single, tools};
use serde_json::{Value, json};

const BEGIN: u64 = 1_700_000_000_000;

/// A moment of the recorded time, in milliseconds: all spans are so many of these.
const TICK: u64 = 10;

/// A store, and an engine on it that is stepped.
struct Host {
    place: Place,
    engine: Engine,
    steps: Steps,
    clock: ManualClock,
}

/// What a worker says: after how many milliseconds, and what.
type Said = (u64, Result<Value, WorkError>);

impl Host {
    fn new() -> Self {
        let place = Place::file_in_memory();
        let clock = ManualClock::new(BEGIN);
        let (engine, steps) = Engine::builder()
            .boxed_store(place.store())
            .clock(clock.clone())
            .stepped()
            .expect("the engine starts");
        Self {
            place,
            engine,
            steps,
            clock,
        }
    }

    fn call<T>(&mut self, call: impl Future<Output = Result<T, refrain::EngineError>>) -> T {
        let answer = self.steps.until(call).expect("it is answered");
        answer.expect("it is done")
    }

    fn register(&mut self, workflow: &Value) {
        let engine = self.engine.clone();
        let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
        self.call(engine.register(workflow));
    }

    /// Runs a workflow to its end. `says` is asked for each attempt, and `acts` each moment.
    fn run(
        &mut self,
        workflow: &Value,
        says: impl Fn(&str, u32) -> Said,
        acts: impl Fn(&mut Self, &Execution, u64),
    ) -> ExecutionId {
        self.register(workflow);
        let engine = self.engine.clone();
        let id = workflow["workflow_id"].as_str().expect("a name");
        let execution = self.call(engine.start(id, "1.0.0", json!({})));
        let mut due: BTreeMap<(u64, ClaimId), Result<Value, WorkError>> = BTreeMap::new();
        for now in (0..).step_by(TICK as usize) {
            acts(self, &execution, now);
            loop {
                while self.steps.step() == Next::Now {}
                let claims = self.call(engine.claim("tool", 64, "ada"));
                let nothing_new = claims.is_empty();
                for claim in claims {
                    let (after, said) = says(&claim.id.node_id, claim.id.attempt);
                    due.insert((now + after, claim.id), said);
                }
                let first = due.first_entry().filter(|it| it.key().0 <= now);
                match first.map(|it| it.remove_entry()) {
                    Some(((_, claim), Ok(output))) => {
                        self.call(engine.complete(claim, output));
                    }
                    Some(((_, claim), Err(error))) => {
                        self.call(engine.fail(claim, error));
                    }
                    None if nothing_new => break,
                    None => {}
                }
            }
            let status = self.call(execution.record()).status;
            if matches!(
                status,
                Status::Completed | Status::Failed | Status::Cancelled
            ) {
                return execution.id();
            }
            self.clock.advance(Duration::from_millis(TICK));
            assert!(now < 1_000_000, "it ends: {status:?}");
        }
        unreachable!("time has no end")
    }

    fn recordings(&self, id: ExecutionId) -> Recordings {
        let recordings = Recordings::read(self.place.store().as_mut(), id);
        recordings.expect("it can be read").expect("it is there")
    }

    fn recording(&self, id: ExecutionId) -> Recording {
        let reading = from_store(self.place.store().as_mut(), id).expect("it can be read");
        reading.expect("it is there").expect("it is whole")
    }
}

fn nobody(_: &mut Host, _: &Execution, _: u64) {}

fn library() -> Library {
    Library::new(Sandbox::new(CallLimits::default()).expect("a sandbox"))
}

fn simulation() -> Simulation {
    Simulation::new(library())
}

fn simulate(simulation: &Simulation, recordings: &Recordings) -> Simulated {
    simulation.run(recordings).expect("it can be simulated")
}

fn at_most_at_once(nodes: u32) -> Change {
    Change {
        max_concurrent_nodes: Some(nodes),
        ..Change::default()
    }
}

/// A fan-out whose branches take 100, 200 and 300 milliseconds, between two nodes of 50.
fn fan() -> (Value, impl Fn(&str, u32) -> Said) {
    let workflow = tools("a -> b, a -> c, a -> d, b -> e, c -> e, d -> e");
    let says = |node: &str, _| {
        let took = match node {
            "b" => 100,
            "c" => 200,
            "d" => 300,
            _ => 50,
        };
        (took, Ok(json!({ node: took })))
    };
    (workflow, says)
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

/// One node, which fails twice, with jitter between its attempts.
fn often(attempts: u32) -> (Value, impl Fn(&str, u32) -> Said) {
    let mut workflow = single(json!({
        "kind": { "type": "tool", "tool_ref": "t" }, "retry_policy": "often"
    }));
    workflow["retry_policies"] = json!({ "often": {
        "max_attempts": attempts, "backoff": "exponential", "initial_delay": 1, "max_delay": 9
    } });
    let says = |_: &str, attempt| match attempt {
        1 | 2 => (30, Err(WorkError::retryable("not yet"))),
        _ => (70, Ok(json!({ "a": 1 }))),
    };
    (workflow, says)
}

fn policy(attempts: u32, delay: u32) -> Change {
    let policy = json!({
        "max_attempts": attempts, "backoff": "fixed", "initial_delay": delay, "jitter": false
    });
    let mut change = Change::default();
    change
        .retry_policies
        .insert("often".to_owned(), policy.to_string());
    change
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
