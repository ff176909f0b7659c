//! The native core and the component conclude the same, byte for byte.
//!
//! Both are given the same generated workflows and the same facts, legal and
//! illegal, in lockstep. Whatever they answer must be equal: decisions as
//! canonical bytes, orders, outcomes, refusals, explanations, the state.

use refrain::contract::{
    ApprovalDecision, ApprovalReceived, CancelRequested, Event, EventKind, ExternalEventReceived,
    Limits, NodeCompleted, NodeFailed, NodeRequest, NodeStarted, OperatorNote, SchedulerError,
    Status, WorkflowStarted,
};
use refrain::guest::{CallError, CallLimits, Instance, Library, Sandbox};
use refrain::id::ExecutionId;
use refrain::log::canonical;
use refrain_guest::shell::Scheduler;
use refrain_tests::dice::Dice;
use refrain_tests::generated;
use refrain_tests::tape::{Tape, across};

const WORKFLOWS: u64 = 300;
const FACTS_PER_WORKFLOW: u32 = 120;

#[test]
fn native_core_and_component_decide_byte_for_byte_the_same() -> anyhow::Result<()> {
    let mut library = Library::new(Sandbox::new(CallLimits::default())?);
    let digest = library.built_in().to_owned();
    let mut instance = library.instance(&digest)?;
    let mut seen = Seen::default();
    for seed in 0..WORKFLOWS {
        let mut pair = Pair::new(seed, &digest, &mut instance);
        pair.play(&mut seen)?;
    }
    seen.must_be_wide();
    Ok(())
}

/// What the generated cases came across: a parity of trivial cases proves
/// little, so this is asserted too.
#[derive(Debug, Default)]
struct Seen {
    decisions: usize,
    refusals: usize,
    ended: usize,
    kinds: std::collections::BTreeSet<String>,
}

impl Seen {
    fn must_be_wide(&self) {
        assert!(self.decisions > 3_000, "{self:?}");
        assert!(self.refusals > 300, "{self:?}");
        assert!(self.ended > 50, "{self:?}");
        for kind in [
            "NodeScheduled",
            "RetryScheduled",
            "NodeExhausted",
            "NodeSkipped",
            "NodeCancelled",
            "NodeTimedOut",
            "TimerFired",
            "TimerCreated",
            "InterruptRaised",
            "Stalled",
            "WorkflowTimedOut",
            "WorkflowCompleted",
            "WorkflowFailed",
            "WorkflowCancelled",
        ] {
            assert!(
                self.kinds.contains(kind),
                "no generated case led to {kind}: {:?}",
                self.kinds
            );
        }
    }
}

/// The same execution twice: native, and in the component.
struct Pair<'a> {
    seed: u64,
    dice: Dice,
    id: ExecutionId,
    native: Scheduler,
    native_tape: Tape,
    instance: &'a mut Instance<Tape>,
    wasm_tape: Tape,
}

impl<'a> Pair<'a> {
    fn new(seed: u64, digest: &str, instance: &'a mut Instance<Tape>) -> Self {
        let mut dice = Dice::seeded(seed);
        let nodes = 1 + usize::try_from(dice.below(25)).unwrap_or(0);
        let workflow = generated::workflow(&mut dice, nodes);
        let id = ExecutionId::from_bytes(u128::from(seed).to_be_bytes());
        let tape = Tape {
            workflow,
            now: 1_000,
            ..Tape::default()
        };
        let started = tape.fact(EventKind::WorkflowStarted(WorkflowStarted {
            execution_id: id.to_string(),
            workflow_id: "generated".to_owned(),
            workflow_version: "1.0.0".to_owned(),
            workflow_digest: refrain::log::digest::digest(tape.workflow.as_bytes()),
            guest_digest: digest.to_owned(),
            initial_input: format!("{{\"claim\":{}}}", dice.below(8)),
            limits: Limits {
                max_concurrent_nodes: 16,
                max_dispatch_per_tick: 8,
            },
            seed,
            tenant: "default".to_owned(),
            simulated: false,
            key: None,
            forked_from: None,
        }));
        let mut pair = Self {
            seed,
            dice,
            id,
            native: Scheduler::new(),
            native_tape: tape.clone(),
            instance,
            wasm_tape: tape,
        };
        assert!(pair.admit(started), "seed {seed}: event 1 is refused");
        pair
    }

    fn play(&mut self, seen: &mut Seen) -> anyhow::Result<()> {
        for _ in 0..FACTS_PER_WORKFLOW {
            let status = self.tick(seen);
            if matches!(
                status,
                Status::Completed | Status::Failed | Status::Cancelled
            ) {
                seen.ended += 1;
                break;
            }
            self.wasm_tape.now += self.dice.below(4_000);
            self.native_tape.now = self.wasm_tape.now;
            let kind = self.some_fact();
            let fact = self.wasm_tape.fact(kind);
            if !self.admit(fact) {
                seen.refusals += 1;
            }
            if self.dice.chance(1, 20) {
                self.native.forget(&self.id.to_string());
            }
            if self.dice.chance(1, 20) {
                self.instance.forget(self.id)?;
            }
        }
        self.same_state();
        self.instance.forget(self.id)?;
        Ok(())
    }

    /// Offer the fact to both; append it if both take it.
    fn admit(&mut self, fact: Event) -> bool {
        let natively =
            self.native
                .admit(&mut self.native_tape, &self.id.to_string(), &across(&fact));
        let in_wasm = self.through(|instance, tape, id| instance.admit(tape, id, &fact));
        let natively = natively.map_err(|error| across::<_, SchedulerError>(&error));
        assert_eq!(natively, in_wasm, "seed {}, fact {fact:?}", self.seed);
        if natively.is_ok() {
            self.native_tape.push(fact.clone());
            self.wasm_tape.push(fact);
        }
        natively.is_ok()
    }

    /// Tick both, as a turn does: until there is no more.
    fn tick(&mut self, seen: &mut Seen) -> Status {
        loop {
            let before = self.wasm_tape.events.len();
            let natively = self
                .native
                .tick(&mut self.native_tape, &self.id.to_string());
            let in_wasm = self.through(Instance::tick);
            let natively = natively
                .map(|it| across(&it))
                .map_err(|error| across::<_, SchedulerError>(&error));
            assert_eq!(natively, in_wasm, "seed {}", self.seed);
            let bytes = |tape: &Tape| {
                tape.events[before..]
                    .iter()
                    .map(canonical::write)
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                bytes(&self.native_tape),
                bytes(&self.wasm_tape),
                "seed {}",
                self.seed
            );
            assert_eq!(
                self.native_tape.items, self.wasm_tape.items,
                "seed {}",
                self.seed
            );
            for event in &self.wasm_tape.events[before..] {
                seen.decisions += 1;
                let name = format!("{:?}", event.kind);
                seen.kinds.insert(
                    name.trim_start_matches("EventKind::")
                        .split('(')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
            let outcome = in_wasm.unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed));
            if !outcome.more {
                return outcome.status;
            }
        }
    }

    fn same_state(&mut self) {
        let id = self.id.to_string();
        let natively = self
            .native
            .inspect(&mut self.native_tape, &id)
            .map(|it| (it.state, it.hash));
        let in_wasm = self
            .through(Instance::inspect)
            .map(|it| (it.state, it.hash));
        assert_eq!(
            natively.map_err(|error| across::<_, SchedulerError>(&error)),
            in_wasm,
            "seed {}",
            self.seed
        );
        for node in self.nodes() {
            let natively = self
                .native
                .explain(&mut self.native_tape, &id, &node)
                .map(|it| across(&it));
            let in_wasm = self.through(|instance, tape, id| instance.explain(tape, id, &node));
            assert_eq!(
                natively.map_err(|error| across::<_, SchedulerError>(&error)),
                in_wasm,
                "seed {}, {node}",
                self.seed
            );
        }
    }

    /// Call the component with its tape.
    fn through<T>(
        &mut self,
        call: impl FnOnce(&mut Instance<Tape>, Tape, ExecutionId) -> (Tape, Result<T, CallError>),
    ) -> Result<T, SchedulerError> {
        let tape = std::mem::take(&mut self.wasm_tape);
        let (tape, answer) = call(self.instance, tape, self.id);
        self.wasm_tape = tape;
        answer.map_err(|error| match error {
            CallError::Scheduler(error) => error,
            other => panic!("seed {}: the component failed: {other}", self.seed),
        })
    }

    fn nodes(&self) -> Vec<String> {
        let workflow: serde_json::Value =
            serde_json::from_str(&self.wasm_tape.workflow).unwrap_or_default();
        workflow["nodes"]
            .as_object()
            .map(|nodes| nodes.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// A fact that might happen now; one in ten is nonsense.
    fn some_fact(&mut self) -> EventKind {
        let node_id = self.dice.pick(&self.nodes()).cloned().unwrap_or_default();
        match self.dice.below(40) {
            0 => EventKind::ExecutionPaused(OperatorNote { reason: None }),
            1 | 2 => EventKind::ExecutionUnpaused(OperatorNote { reason: None }),
            3 => EventKind::RetryRequested(NodeRequest {
                node_id,
                reason: None,
            }),
            4 => EventKind::SkipRequested(NodeRequest {
                node_id,
                reason: Some("why not".to_owned()),
            }),
            5 if self.dice.chance(1, 4) => {
                EventKind::CancelRequested(CancelRequested { reason: None })
            }
            6..9 => EventKind::ExternalEventReceived(ExternalEventReceived {
                correlation_key: generated::key(&mut self.dice).to_owned(),
                payload: "{\"k0\":1}".to_owned(),
            }),
            9..12 => EventKind::ApprovalReceived(ApprovalReceived {
                node_id: self.waiting().unwrap_or(node_id),
                user_id: "ada".to_owned(),
                decision: if self.dice.chance(3, 4) {
                    ApprovalDecision::Approved
                } else {
                    ApprovalDecision::Rejected
                },
                comment: None,
                state_patch: self
                    .dice
                    .chance(1, 2)
                    .then(|| generated::patch(&mut self.dice)),
            }),
            _ => self.some_answer(node_id),
        }
    }

    /// The node of the last interrupt.
    fn waiting(&self) -> Option<String> {
        self.wasm_tape
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.kind {
                EventKind::InterruptRaised(it) => Some(it.node_id.clone()),
                _ => None,
            })
    }

    /// A claim of an item, or an answer to one; with a wrong fence now and then.
    fn some_answer(&mut self, node_id: String) -> EventKind {
        let Some(item) = self.dice.pick(&self.wasm_tape.items).cloned() else {
            return EventKind::RetryRequested(NodeRequest {
                node_id,
                reason: None,
            });
        };
        let claim = self
            .wasm_tape
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.kind {
                EventKind::NodeStarted(it)
                    if it.node_id == item.node_id && it.attempt == item.attempt =>
                {
                    Some(it.fence)
                }
                _ => None,
            });
        let Some(fence) = claim else {
            let fence = self.wasm_tape.events.len() as u64 + 1;
            return EventKind::NodeStarted(NodeStarted {
                node_id: item.node_id,
                worker_id: "w".to_owned(),
                attempt: item.attempt,
                fence,
            });
        };
        let fence = if self.dice.chance(1, 10) {
            fence + 1
        } else {
            fence
        };
        if self.dice.chance(3, 4) {
            return EventKind::NodeCompleted(NodeCompleted {
                node_id: item.node_id,
                attempt: item.attempt,
                fence,
                output: "17".to_owned(),
                state_patch: generated::patch(&mut self.dice),
                duration_ms: 5,
                chosen_target: None,
                telemetry: None,
            });
        }
        let class = self
            .dice
            .pick(&[None, Some("io_error"), Some("lease_expired")])
            .copied()
            .flatten();
        EventKind::NodeFailed(NodeFailed {
            node_id: item.node_id,
            attempt: item.attempt,
            fence,
            error: "boom".to_owned(),
            class: class.map(str::to_owned),
            retryable: self.dice.chance(4, 5),
        })
    }
}
