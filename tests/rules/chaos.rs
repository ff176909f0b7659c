//! Generated workflows in a world that does whatever it likes, and then calms
//! down: no tick fails, every log replays, and everything comes to an end.
//!
//! The seed is printed with every failure, and alone reproduces it.

use refrain_guest::contract::{
    ApprovalDecision, ApprovalReceived, CancelRequested, EventKind, ExternalEventReceived,
    NodeCompleted, NodeFailed, NodeRequest, NodeStarted, OperatorNote, Outcome, Stalled, Status,
};
use refrain_guest::shell::Scheduler;
use refrain_tests::dice::Dice;
use refrain_tests::generated;
use refrain_tests::notation::{EXECUTION, Graph, ItemState, Memory, replay};
use serde_json::Value;

const WORKFLOWS: u64 = 400;
const WILD_TURNS: u64 = 30;
/// More turns than the calm phase can need: each settles something.
const CALM_TURNS_MAX: usize = 500;

#[test]
fn law2_law9_whatever_happens_the_log_replays_and_comes_to_an_end() {
    let mut endings = [0; 3];
    for seed in 0..WORKFLOWS {
        let mut play = Play::new(seed);
        play.wild();
        match play.calm() {
            Status::Completed => endings[0] += 1,
            Status::Failed => endings[1] += 1,
            Status::Cancelled => endings[2] += 1,
            other => panic!("seed {seed}: {other:?} is no end"),
        }
        replay(&play.world.workflow, &play.world.events)
            .unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
    }
    assert!(
        endings.iter().all(|count| *count > 5),
        "too few of one ending: {endings:?}"
    );
}

struct Play {
    seed: u64,
    dice: Dice,
    scheduler: Scheduler,
    world: Memory,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::seeded(seed);
        let mut graph = Graph::read(["a -> b"]).expect("a graph");
        let nodes = 3 + usize::try_from(dice.below(15)).unwrap_or_default();
        graph.workflow = generated::workflow(&mut dice, nodes);
        graph.limits.max_concurrent_nodes = 1 + u32::try_from(dice.below(6)).unwrap_or_default();
        graph.limits.max_dispatch_per_tick = 1 + u32::try_from(dice.below(3)).unwrap_or_default();
        let mut play = Self {
            seed,
            dice,
            scheduler: Scheduler::new(),
            world: Memory::new(&graph, 1_000),
        };
        let mut start = play.world.start(&graph);
        if let EventKind::WorkflowStarted(started) = &mut start.kind {
            started.workflow_id = "generated".to_owned();
        }
        play.scheduler
            .admit(&mut play.world, EXECUTION, &start)
            .unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
        play.world.append_fact(start);
        play.turn();
        play
    }

    /// Turns of one to three facts at random, and a memory that fails.
    fn wild(&mut self) {
        for _ in 0..WILD_TURNS {
            self.world.now += self.dice.below(3_000);
            for _ in 0..=self.dice.below(3) {
                let kind = self.some_fact();
                self.offer(kind);
            }
            if self.dice.chance(1, 10) {
                self.scheduler.forget(EXECUTION);
            }
            if self.dice.chance(1, 10) {
                self.world.snapshot = self.scheduler.snapshot(&mut self.world, EXECUTION).ok();
            }
            self.turn();
        }
    }

    /// Everything is answered: each hold lifted, each item done, each wait ended.
    fn calm(&mut self) -> Status {
        for _ in 0..CALM_TURNS_MAX {
            for kind in self.answers() {
                self.offer(kind);
            }
            let outcome = self.turn();
            if matches!(
                outcome.status,
                Status::Completed | Status::Failed | Status::Cancelled
            ) {
                return outcome.status;
            }
            let later = self.world.now + 10;
            let earliest = outcome.next_wake.into_iter().chain(self.not_before()).min();
            self.world.now = earliest.unwrap_or(later).max(later);
        }
        let (seed, state) = (self.seed, self.inspect());
        panic!("seed {seed}: it does not end: {state}");
    }

    fn turn(&mut self) -> Outcome {
        loop {
            let outcome = self.scheduler.tick(&mut self.world, EXECUTION);
            let outcome = outcome.unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed));
            if !outcome.more {
                return outcome;
            }
        }
    }

    /// Whether the fact was legal.
    fn offer(&mut self, kind: EventKind) -> bool {
        let fact = self.world.fact(kind);
        let legal = self
            .scheduler
            .admit(&mut self.world, EXECUTION, &fact)
            .is_ok();
        if legal {
            self.world.append_fact(fact);
        }
        legal
    }

    fn inspect(&mut self) -> Value {
        let inspection = self
            .scheduler
            .inspect(&mut self.world, EXECUTION)
            .expect("an execution that can be inspected");
        serde_json::from_str(&inspection.state).expect("inspect writes JSON")
    }

    fn not_before(&self) -> Option<u64> {
        let waiting = self
            .world
            .items
            .values()
            .filter(|item| item.state == ItemState::Waiting);
        waiting.map(|item| item.item.not_before).min()
    }

    fn some_fact(&mut self) -> EventKind {
        let nodes = self.inspect()["nodes"]
            .as_object()
            .map(|nodes| nodes.keys().cloned().collect::<Vec<_>>());
        let node_id = self
            .dice
            .pick(&nodes.unwrap_or_default())
            .cloned()
            .unwrap_or_default();
        let note = OperatorNote { reason: None };
        match self.dice.below(50) {
            0 => EventKind::ExecutionPaused(note),
            1 | 2 => EventKind::ExecutionUnpaused(note),
            3 => EventKind::RetryRequested(NodeRequest {
                node_id,
                reason: None,
            }),
            4 => EventKind::SkipRequested(NodeRequest {
                node_id,
                reason: None,
            }),
            5 if self.dice.chance(1, 3) => {
                EventKind::CancelRequested(CancelRequested { reason: None })
            }
            6 => EventKind::Stalled(Stalled {
                reason: "wild".to_owned(),
                node_id: None,
            }),
            7 | 8 => EventKind::StallLifted(note),
            9..13 => EventKind::ExternalEventReceived(ExternalEventReceived {
                correlation_key: generated::key(&mut self.dice).to_owned(),
                payload: "[1]".to_owned(),
            }),
            13..16 => approval(
                node_id,
                if self.dice.chance(1, 2) {
                    ApprovalDecision::Approved
                } else {
                    ApprovalDecision::Rejected
                },
            ),
            _ => self
                .some_answer()
                .unwrap_or(EventKind::StallLifted(OperatorNote { reason: None })),
        }
    }

    fn some_answer(&mut self) -> Option<EventKind> {
        let open: Vec<_> = self
            .world
            .items
            .values()
            .filter(|item| item.state != ItemState::Settled)
            .cloned()
            .collect();
        let item = self.dice.pick(&open)?.clone();
        let (node_id, attempt) = (item.item.node_id, item.item.attempt);
        let ItemState::Claimed(fence) = item.state else {
            return Some(claim(node_id, attempt, self.world.events.len() as u64 + 1));
        };
        Some(match self.dice.below(5) {
            0 | 1 => EventKind::NodeFailed(NodeFailed {
                node_id,
                attempt,
                fence,
                error: "boom".to_owned(),
                class: self
                    .dice
                    .pick(&["io_error", "lease_expired", "other"])
                    .map(ToString::to_string),
                retryable: self.dice.chance(4, 5),
            }),
            _ => completion(node_id, attempt, fence, generated::patch(&mut self.dice)),
        })
    }

    /// All that a patient world would do next.
    fn answers(&mut self) -> Vec<EventKind> {
        let note = || OperatorNote { reason: None };
        self.offer(EventKind::StallLifted(note()));
        self.offer(EventKind::ExecutionUnpaused(note()));
        let state = self.inspect();
        let mut answers = Vec::new();
        for (node_id, node) in state["nodes"].as_object().into_iter().flatten() {
            match node["state"].as_str() {
                Some("failing") => answers.push(EventKind::SkipRequested(NodeRequest {
                    node_id: node_id.clone(),
                    reason: None,
                })),
                Some("waiting") if node["waits_for"] == "approval" => {
                    answers.push(approval(node_id.clone(), ApprovalDecision::Approved));
                }
                Some("waiting") => answers.extend(node["waits_for"].as_str().map(|key| {
                    EventKind::ExternalEventReceived(ExternalEventReceived {
                        correlation_key: key.to_owned(),
                        payload: "{}".to_owned(),
                    })
                })),
                _ => {}
            }
        }
        for item in self.world.items.clone().into_values() {
            let (node_id, attempt) = (item.item.node_id, item.item.attempt);
            let fence = match item.state {
                ItemState::Claimed(fence) => fence,
                ItemState::Waiting if item.item.not_before <= self.world.now => {
                    let fence = self.world.events.len() as u64 + 1;
                    if !self.offer(claim(node_id.clone(), attempt, fence)) {
                        continue;
                    }
                    fence
                }
                ItemState::Waiting | ItemState::Settled => continue,
            };
            answers.push(completion(node_id, attempt, fence, "{}".to_owned()));
        }
        answers
    }
}

fn claim(node_id: String, attempt: u32, fence: u64) -> EventKind {
    EventKind::NodeStarted(NodeStarted {
        node_id,
        worker_id: "w".to_owned(),
        attempt,
        fence,
    })
}

fn completion(node_id: String, attempt: u32, fence: u64, state_patch: String) -> EventKind {
    EventKind::NodeCompleted(NodeCompleted {
        node_id,
        attempt,
        fence,
        output: "null".to_owned(),
        state_patch,
        duration_ms: 1,
        chosen_target: None,
        telemetry: None,
    })
}

fn approval(node_id: String, decision: ApprovalDecision) -> EventKind {
    EventKind::ApprovalReceived(ApprovalReceived {
        node_id,
        user_id: "ada".to_owned(),
        decision,
        comment: None,
        state_patch: None,
    })
}
