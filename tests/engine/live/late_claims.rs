//! Work of executions that come after the others, and workers outside of the engine that
//! ask for it at once.

use std::collections::BTreeSet;
use std::time::Duration;

use refrain::limits::TurnLimits;
use refrain::store::ItemState;
use refrain::{Claim, ClaimId, Engine, Execution, ExecutionId, ManualClock, Next, Steps, Workflow};
use refrain_tests::engines::{BEGIN, Place, audit_all};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};

use super::scene::side_by_side;

/// So many nodes that a call about them is costly.
const COSTLY_NODES: usize = 15_000;

struct Host {
    engine: Engine,
    steps: Steps,
    clock: ManualClock,
}

impl Host {
    fn open(place: &Place, seed: u64, turn_limits: TurnLimits) -> Self {
        let clock = ManualClock::new(BEGIN);
        let limits = refrain::model::Limits {
            max_concurrent_nodes: 64,
            max_dispatch_per_tick: 4,
        };
        let builder = Engine::builder().boxed_store(place.store()).seed(seed);
        let builder = builder.clock(clock.clone()).limits(limits);
        let stepped = builder.turn_limits(turn_limits).stepped();
        let (engine, steps) = stepped.expect("it can be put together");
        Self {
            engine,
            steps,
            clock,
        }
    }

    fn start(&mut self, workflow: &Value) -> Execution {
        let id = workflow["workflow_id"].as_str().expect("a text").to_owned();
        let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
        let registered = self.steps.until(self.engine.register(workflow));
        registered.expect("it is answered").expect("it is valid");
        let started = self.steps.until(self.engine.start(&id, "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts")
    }

    fn claim(&mut self, max: usize) -> Vec<Claim> {
        let claimed = self.steps.until(self.engine.claim("tool", max, "outside"));
        claimed.expect("it is answered").expect("nothing is wrong")
    }
}

fn executions(claims: &[Claim]) -> BTreeSet<ExecutionId> {
    claims.iter().map(|claim| claim.id.execution).collect()
}

/// What the store says is claimed in these executions.
fn claimed(place: &Place, of: &[ExecutionId]) -> BTreeSet<ClaimId> {
    let mut store = place.store();
    let mut claims = BTreeSet::new();
    for execution in of {
        let items = store.items(*execution).expect("a queue");
        for record in items.all().expect("they can be read") {
            if let ItemState::Leased(lease) = record.state {
                claims.insert(ClaimId {
                    execution: *execution,
                    node_id: record.item.node_id,
                    attempt: record.item.attempt,
                    fence: lease.fence,
                });
            }
        }
    }
    claims
}

/// Where nothing else waits, it is claimed after the others; where something does, it is
/// left for the next claim.
#[test]
fn items_of_a_costly_execution_are_claimed_after_the_others() {
    for place in Place::each() {
        let mut host = Host::open(&place, 3, TurnLimits::default());
        let costly = host.start(&side_by_side(COSTLY_NODES, &json!({}))).id();
        let alone = host.claim(1);
        assert_eq!(executions(&alone), BTreeSet::from([costly]));
        host.clock.advance(Duration::from_secs(1));
        let quick = host.start(&single(tool())).id();
        let first = host.claim(3);
        assert_eq!(executions(&first), BTreeSet::from([quick]));
        let then = host.claim(3);
        assert_eq!(then.len(), 3);
        assert_eq!(executions(&then), BTreeSet::from([costly]));
        let told = [alone, first, then].concat();
        let told: BTreeSet<_> = told.into_iter().map(|claim| claim.id).collect();
        assert_eq!(told, claimed(&place, &[costly, quick]));
    }
}

/// The claim meets an execution that is owed a step, which nothing may be told before:
/// it answers with what it has, and nothing is claimed that it does not answer.
#[test]
fn law7_a_claim_that_meets_an_execution_which_is_owed_a_step_loses_nothing() {
    let no_fuel = TurnLimits {
        fuel: 1,
        ..TurnLimits::default()
    };
    for place in Place::each() {
        let mut host = Host::open(&place, 3, no_fuel);
        let quick = host.start(&single(tool())).id();
        while host.steps.step() == Next::Now {}
        let owed = host.start(&side_by_side(40, &json!({}))).id();
        let record = |place: &Place| {
            let record = place.store().execution(owed).expect("it can be read");
            record.expect("it is there")
        };
        for _ in 0..20 {
            if record(&place).head.sequence > 8 {
                break;
            }
            host.steps.step();
        }
        assert!(record(&place).is_owed_a_step());
        drop(host);
        let mut host = Host::open(&place, 4, TurnLimits::default());
        let first = host.claim(64);
        assert!(executions(&first).contains(&quick), "{first:?}");
        let told: BTreeSet<_> = first.into_iter().map(|claim| claim.id).collect();
        assert_eq!(told, claimed(&place, &[quick, owed]));
        let then = host.claim(64);
        assert_eq!(executions(&then), BTreeSet::from([owed]));
        drop(host);
        audit_all(&place, "after both claims");
    }
}
