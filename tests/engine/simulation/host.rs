//! An engine whose executions are recorded, and what is simulated of them.

use std::collections::BTreeMap;
use std::time::Duration;

use refrain::clock::ManualClock;
use refrain::model::Status;
use refrain::replay::{Change, Recording, from_store};
use refrain::simulation::{Recordings, Simulated, Simulation};
use refrain::{ClaimId, Engine, Execution, ExecutionId, Next, Steps, WorkError, Workflow};
use refrain_tests::engines::{Place, library};
use refrain_tests::workflows::{single, tools};
use serde_json::{Value, json};

const BEGIN: u64 = 1_700_000_000_000;

/// A moment of the recorded time, in milliseconds: all spans are so many of these.
pub(super) const TICK: u64 = 10;

/// A store, and an engine on it that is stepped.
pub(super) struct Host {
    place: Place,
    engine: Engine,
    steps: Steps,
    clock: ManualClock,
}

/// What a worker says: after how many milliseconds, and what.
pub(super) type Said = (u64, Result<Value, WorkError>);

impl Host {
    pub(super) fn new() -> Self {
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

    pub(super) fn call<T>(
        &mut self,
        call: impl Future<Output = Result<T, refrain::EngineError>>,
    ) -> T {
        let answer = self.steps.until(call).expect("it is answered");
        answer.expect("it is done")
    }

    pub(super) fn register(&mut self, workflow: &Value) {
        let engine = self.engine.clone();
        let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
        self.call(engine.register(workflow));
    }

    /// Runs a workflow to its end. `says` is asked for each attempt, and `acts` each moment.
    pub(super) fn run(
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

    pub(super) fn recordings(&self, id: ExecutionId) -> Recordings {
        let recordings = Recordings::read(self.place.store().as_mut(), id);
        recordings.expect("it can be read").expect("it is there")
    }

    pub(super) fn recording(&self, id: ExecutionId) -> Recording {
        let reading = from_store(self.place.store().as_mut(), id).expect("it can be read");
        reading.expect("it is there").expect("it is whole")
    }
}

pub(super) fn nobody(_: &mut Host, _: &Execution, _: u64) {}

pub(super) fn simulation() -> Simulation {
    Simulation::new(library())
}

pub(super) fn simulate(simulation: &Simulation, recordings: &Recordings) -> Simulated {
    simulation.run(recordings).expect("it can be simulated")
}

/// A fan-out whose branches take 100, 200 and 300 milliseconds, between two nodes of 50.
pub(super) fn fan() -> (Value, impl Fn(&str, u32) -> Said) {
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

/// One node, which fails twice, with jitter between its attempts.
pub(super) fn often(attempts: u32) -> (Value, impl Fn(&str, u32) -> Said) {
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

pub(super) fn policy(attempts: u32, delay: u32) -> Change {
    let policy = json!({
        "max_attempts": attempts, "backoff": "fixed", "initial_delay": delay, "jitter": false
    });
    let mut change = Change::default();
    change
        .retry_policies
        .insert("often".to_owned(), policy.to_string());
    change
}
