//! Whatever workers, people, clocks and restarts do, from one seed: every
//! step is taken or refused with a reason, and the audit is clean.

use std::time::Duration;

use refrain::store::ended;
use refrain::{
    Answer, Approval, ClaimId, Engine, EngineError, Execution, Json, ManualClock, WorkError,
    Workflow,
};
use refrain_tests::dice::Dice;
use refrain_tests::engines::{BEGIN, Place, audit_all};
use refrain_tests::generated;

const QUEUES: [&str; 8] = [
    "command",
    "general",
    "http",
    "java_tool",
    "model",
    "python_tool",
    "retrieval",
    "tool",
];

/// One seed's world.
struct World {
    dice: Dice,
    clock: ManualClock,
    engine: Engine,
    execution: Execution,
    nodes: Vec<String>,
    claims: Vec<ClaimId>,
}

#[tokio::test]
async fn law2_whatever_happens_the_audit_is_clean() {
    for seed in 0..40 {
        for place in Place::each() {
            let mut world = World::new(seed, &place).await;
            for step in 0..150 {
                if let Err(error) = world.step(&place).await {
                    let refused = matches!(
                        error,
                        EngineError::Refused { .. }
                            | EngineError::Stale { .. }
                            | EngineError::UnknownNode { .. }
                    );
                    assert!(refused, "seed {seed}, step {step}: {error}");
                }
                if ended(world.execution.record().await.expect("a record").status) {
                    break;
                }
            }
            world.engine.shutdown().await;
            audit_all(&place, &format!("seed {seed}"));
        }
    }
}

impl World {
    async fn new(seed: u64, place: &Place) -> Self {
        let mut dice = Dice::seeded(seed);
        let clock = ManualClock::new(BEGIN);
        let engine = start(place, &clock).await;
        let size = 2 + dice.below(12) as usize;
        let text = generated::workflow(&mut dice, size);
        let parsed: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let nodes = parsed["nodes"]
            .as_object()
            .expect("nodes")
            .keys()
            .cloned()
            .collect();
        let workflow = Workflow::from_json(text).expect("it is JSON");
        let summary = engine.register(workflow).await.expect("it is valid");
        let input = Json::from_text("{}").expect("it is JSON");
        let started = engine
            .start(&summary.workflow_id, &summary.version, input)
            .await;
        let execution = started.expect("it starts");
        Self {
            dice,
            clock,
            engine,
            execution,
            nodes,
            claims: Vec::new(),
        }
    }

    async fn step(&mut self, place: &Place) -> Result<(), EngineError> {
        let node = self.nodes[self.dice.below(self.nodes.len() as u64) as usize].clone();
        match self.dice.below(100) {
            0..30 => self.claim().await,
            30..60 => self.answer().await,
            60..75 => {
                let most = if self.dice.chance(1, 4) {
                    40_000
                } else {
                    3_000
                };
                self.clock
                    .advance(Duration::from_millis(self.dice.below(most)));
                Ok(())
            }
            75..79 => {
                self.execution
                    .signal(
                        generated::key(&mut self.dice),
                        serde_json::json!({ "s": 1 }),
                    )
                    .await
            }
            79..85 => {
                self.execution
                    .approve(&node, Approval::approved("ada"))
                    .await
            }
            85..87 => {
                self.execution
                    .approve(&node, Approval::rejected("bob"))
                    .await
            }
            87..90 => self.execution.retry(&node, None).await,
            90..92 => self.execution.skip(&node, Some("not needed")).await,
            92..94 => self.execution.pause(None).await,
            94..97 => self.execution.unpause(None).await,
            97..98 => self.execution.cancel(None).await,
            _ => self.restart(place).await,
        }
    }

    async fn claim(&mut self) -> Result<(), EngineError> {
        let max = 1 + self.dice.below(3) as usize;
        for queue in QUEUES {
            let claims = self.engine.claim(queue, max, "outside").await?;
            self.claims.extend(claims.into_iter().map(|claim| claim.id));
        }
        Ok(())
    }

    /// Answer a claim, perhaps one that was answered before.
    async fn answer(&mut self) -> Result<(), EngineError> {
        let Some(claim) = self.dice.pick(&self.claims).cloned() else {
            return Ok(());
        };
        if self.dice.chance(1, 4) {
            let failed = if self.dice.chance(3, 4) {
                WorkError::retryable("no")
            } else {
                WorkError::permanent("never")
            };
            return self.engine.fail(claim, failed).await.map(drop);
        }
        let patch = Json::from_text(generated::patch(&mut self.dice)).expect("it is JSON");
        let answer = Answer::output(serde_json::json!({ "node": claim.node_id })).patch(patch);
        self.engine.complete(claim, answer).await.map(drop)
    }

    /// The guest's cache, the claims in memory: all gone.
    async fn restart(&mut self, place: &Place) -> Result<(), EngineError> {
        self.engine.shutdown().await;
        self.engine = start(place, &self.clock).await;
        self.execution = self.engine.execution(self.execution.id());
        Ok(())
    }
}

async fn start(place: &Place, clock: &ManualClock) -> Engine {
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(clock.clone());
    builder.start().await.expect("the engine starts")
}
