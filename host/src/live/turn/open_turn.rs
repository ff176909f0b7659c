//! One turn: facts in, ticks, decisions out.
//!
//! ```text
//! open      an execution comes into the turn: its record, what is cached of it compared
//! admit     a fact, if the guest lets it stand; the execution is to be ticked if anything follows
//! tick      until it has nothing more to decide, or its share is used up; a guest that fails twice stalls its execution
//! close     all of it, as the one write of the turn
//! ```
//!
//! Everything is staged in memory. Who fills a turn, and what is done when it
//! could not be written, is the event loop's business.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{Event, EventKind, Origin, Outcome, Snapshot};
use crate::error::EngineError;
use crate::guest::{CallError, GuestFailure, Instance};
use crate::id::ExecutionId;
use crate::store::{ComponentRecord, ExecutionChange, Turn, WorkflowRecord};

use super::budget::{Phase, TurnBudget};
use super::core::{Asking, Core, TurnTime};
use super::due::Rounds;
use super::simulation::Due;
use super::slots::Slots;
use super::steps_owed::Late;
use super::writes::Waiting;
use crate::live::cache::instances::Failure;
use crate::live::execution::cached::CacheUpdate;
use crate::live::execution::ports::TurnPorts;
use crate::live::execution::queue_effects::{outcome_fault, settle};
use crate::live::execution::staged::{Staged, payload_bytes};
use crate::live::values::work::ClaimId;
use crate::live::workers::Granted;

/// A turn that is being filled.
pub(crate) struct OpenTurn<'a> {
    pub(in crate::live) core: &'a mut Core,
    pub(in crate::live) time: TurnTime,
    pub(in crate::live) staged: BTreeMap<ExecutionId, Box<Staged>>,
    /// To be ticked.
    pub(in crate::live) dirty: BTreeSet<ExecutionId>,
    pub(in crate::live) budget: TurnBudget,
    /// Those that come after the others.
    pub(in crate::live) late: Late,
    /// Who of them has gone on in this turn.
    pub(in crate::live) served_late: BTreeSet<ExecutionId>,
    /// What was said, and has to wait.
    pub(in crate::live) waiting: Waiting,
    pub(in crate::live) workflows: Vec<WorkflowRecord>,
    pub(in crate::live) components: Vec<ComponentRecord>,
    pub(in crate::live) snapshots: Vec<(ExecutionId, Snapshot)>,
    /// The slots of the engine's own workers.
    pub(in crate::live) slots: Slots,
    /// Executions that have changed since claims were last looked at.
    pub(in crate::live) changed: BTreeSet<ExecutionId>,
    /// How far it is with those that are due.
    pub(in crate::live) rounds: Rounds,
    /// Queues of which the store has no further item to claim in this turn.
    pub(in crate::live) drained_queues: BTreeSet<String>,
    /// Claims whose own worker had its lease renewed, and until when.
    pub(in crate::live) renewed: Vec<ClaimId>,
    /// What simulated workers are at.
    pub(in crate::live) simulated: Due,
    /// How many facts it has taken, wakes included.
    pub(in crate::live) facts: usize,
    /// How many more own workers may claim.
    pub(in crate::live) claims_left: usize,
    /// How many more workers outside of the engine may claim: theirs are not
    /// taken from the others.
    pub(in crate::live) outside_claims_left: usize,
    /// Whether the claims of own workers were cut off.
    pub(in crate::live) cut_claims: bool,
    /// The group that claims first in the next turn: where this one was cut off.
    pub(in crate::live) first_group: usize,
    /// A limit cut something off: another turn is due at once.
    pub(in crate::live) cut: bool,
    /// Executions that are to be set aside in the store.
    pub(in crate::live) marks: Vec<ExecutionChange>,
    /// It holds something that must not be written: it is to be done anew.
    pub(crate) undone: bool,
}

/// What is to be done in memory once a turn is written.
pub(crate) struct Effects {
    pub(crate) now: TurnTime,
    /// What it leaves of all its executions.
    pub(crate) left: Vec<CacheUpdate>,
    /// Queues on which everything was claimed, and own workers are free.
    pub(crate) drained_queues: BTreeSet<String>,
    /// How many executions that is.
    pub(crate) touched: usize,
    /// Those that have ended.
    pub(crate) ended: Vec<ExecutionId>,
    pub(crate) granted: Vec<Granted>,
    pub(crate) released: BTreeSet<ClaimId>,
    pub(crate) rounds: Rounds,
    pub(crate) late: Late,
    pub(crate) first_group: usize,
    pub(crate) renewed: Vec<ClaimId>,
    /// Claims of own workers that do not hold any longer.
    pub(crate) lost: BTreeSet<ClaimId>,
    pub(crate) simulated: Due,
    pub(crate) guests_kept: Vec<String>,
    pub(crate) cut: bool,
    /// The places of the writes that were not done, and go into the next turn.
    pub(crate) waiting: BTreeSet<usize>,
    /// Whether there was anything to write, and it was written.
    pub(crate) written: bool,
}

impl<'a> OpenTurn<'a> {
    /// A turn at this time, with nothing in it.
    pub(crate) fn new(core: &'a mut Core, time: TurnTime) -> Self {
        // What was asked between the turns is none of its calls.
        core.guests.take_burnt();
        let simulated = core.simulation.due.clone();
        let (slots, rounds, late) = (Slots::of(&core.pool), core.rounds, core.late.clone());
        let limits = core.settings.turn_limits;
        let budget = TurnBudget::new(limits, time.real.monotonic, core.assured);
        let claims = limits.claims;
        Self {
            core,
            time,
            staged: BTreeMap::new(),
            dirty: BTreeSet::new(),
            budget,
            late,
            served_late: BTreeSet::new(),
            waiting: Waiting::default(),
            workflows: Vec::new(),
            components: Vec::new(),
            snapshots: Vec::new(),
            slots,
            changed: BTreeSet::new(),
            rounds,
            drained_queues: BTreeSet::new(),
            renewed: Vec::new(),
            simulated,
            facts: 0,
            claims_left: claims,
            outside_claims_left: claims,
            cut_claims: false,
            first_group: 0,
            cut: false,
            marks: Vec::new(),
            undone: false,
        }
    }

    /// Bring an execution into the turn.
    pub(crate) fn open(&mut self, id: ExecutionId) -> Result<&mut Staged, EngineError> {
        match self.staged.entry(id) {
            Entry::Occupied(staged) => Ok(staged.into_mut()),
            Entry::Vacant(place) => {
                let known = self.core.sound(id)?;
                self.core
                    .guests
                    .compare(&known.record, self.core.store.get())?;
                Ok(place.insert(Box::new(Staged::stored(known))))
            }
        }
    }

    /// Take a fact, if the guest lets it stand next in the log. Where the
    /// guest says that nothing follows from it, a tick is spared.
    pub(crate) fn admit(&mut self, id: ExecutionId, kind: EventKind) -> Result<u64, EngineError> {
        if self.has_to_wait(id)? {
            return Err(EngineError::Refused {
                execution: id,
                reason: "it has to go on before it can be told anything; try again".to_owned(),
            });
        }
        let fact = self.next_event(id, Origin::Fact, kind)?;
        let admitted = self.ask(id, false, |guest, ports| {
            admit_and_check(guest, ports, id, &fact)
        });
        let outcome = match admitted {
            Ok(outcome) => outcome,
            Err(failure) => return Err(self.refused(id, failure)),
        };
        let sequence = fact.sequence;
        self.budget.took(payload_bytes(&fact));
        self.append(id, fact)?;
        let staged = self.open(id)?;
        if !staged.held {
            staged.record.status = outcome.status;
            staged.record.next_wake = outcome.next_wake;
        }
        self.facts += 1;
        // A wake that has passed is due now.
        let now = self.now();
        if outcome.more || outcome.next_wake.is_some_and(|wake| wake <= now) {
            self.dirty.insert(id);
        }
        Ok(sequence)
    }

    /// An execution that begins: its event 1, if the guest takes it.
    pub(crate) fn begin(&mut self, staged: Staged, kind: EventKind) -> Result<(), EngineError> {
        let id = staged.record.id;
        self.staged.insert(id, Box::new(staged));
        let admitted = self.admit(id, kind);
        if admitted.is_err() {
            self.staged.remove(&id);
            self.dirty.remove(&id);
        }
        admitted.map(drop)
    }

    /// The execution is to be ticked before the turn is over.
    pub(crate) fn touch(&mut self, id: ExecutionId) {
        self.facts += 1;
        self.dirty.insert(id);
    }

    pub(in crate::live) fn next_event(
        &mut self,
        id: ExecutionId,
        origin: Origin,
        kind: EventKind,
    ) -> Result<Event, EngineError> {
        let time = self.time;
        let staged = self.open(id)?;
        let record = &staged.record;
        let at = staged.reading(time.of(record.simulated));
        Ok(Event {
            sequence: record.head.sequence + 1,
            at,
            origin,
            kind,
        })
    }

    pub(in crate::live) fn append(
        &mut self,
        id: ExecutionId,
        event: Event,
    ) -> Result<(), EngineError> {
        self.changed.insert(id);
        self.open(id)?.push(event);
        Ok(())
    }

    /// Ask the guest about an execution that is in the turn.
    pub(in crate::live) fn ask<T>(
        &mut self,
        id: ExecutionId,
        may_order: bool,
        call: impl Fn(&mut Instance<TurnPorts>, TurnPorts) -> (TurnPorts, Result<T, CallError>),
    ) -> Result<T, Failure> {
        let Some(staged) = self.staged.remove(&id) else {
            return Err(Failure::Broken(format!(
                "execution {id} is not in the turn"
            )));
        };
        let record = &staged.record;
        let registered = |workflow: &&WorkflowRecord| {
            workflow.workflow_id == record.workflow_id
                && workflow.version == record.workflow_version
        };
        let workflow_text = self
            .workflows
            .iter()
            .find(registered)
            .map(|workflow| workflow.text.clone());
        let now = staged.reading(self.time.of(record.simulated));
        let (staged, answer) = self.core.ask(
            Asking {
                staged,
                now,
                workflow_text,
                may_order,
            },
            call,
        );
        self.staged.insert(id, staged);
        let burnt = self.count_call();
        self.core.costly.called(id, burnt);
        if let Err(Failure::Store(error)) = &answer {
            self.found_tampered(id, error);
        }
        answer
    }

    /// Count the fuel of a call that was just made, which is said too.
    pub(in crate::live) fn count_call(&mut self) -> u64 {
        let burnt = self.core.guests.take_burnt();
        let time = &self.core.time;
        self.budget.burnt(burnt, || time.monotonic());
        burnt
    }

    /// Whether the next thing of this phase may be done: the turn has something
    /// left, or it is this phase's turn. It is to be done then.
    pub(in crate::live) fn may(&mut self, phase: Phase) -> bool {
        if self.core.closing.is_asked_for() {
            self.budget.end();
        }
        let may = self.budget.may(phase);
        self.cut |= !may;
        may
    }

    /// The turn as one write, and what follows when it is written.
    pub(crate) fn close(self) -> (Turn, Effects) {
        let drained_queues = self.drained_for_groups();
        let reading = self.core.time.written(self.time);
        if self.budget.is_over() {
            self.core.assured = self.core.assured.next();
        }
        let (changes, left): (Vec<_>, Vec<_>) = self
            .staged
            .into_values()
            .map(|staged| staged.settled())
            .unzip();
        let effects = Effects {
            now: self.time,
            touched: left.len(),
            left,
            drained_queues,
            ended: Vec::new(),
            granted: self.slots.granted,
            released: self.slots.released,
            rounds: self.rounds,
            late: self.late,
            first_group: self.first_group,
            renewed: self.renewed,
            lost: self.slots.lost,
            simulated: self.simulated,
            guests_kept: self
                .components
                .iter()
                .map(|component| component.digest.clone())
                .collect(),
            cut: self.cut,
            waiting: self.waiting.places,
            written: false,
        };
        let turn = Turn {
            workflows: self.workflows,
            components: self.components,
            executions: changes.into_iter().flatten().chain(self.marks).collect(),
            snapshots: self.snapshots,
            reading: Some(reading),
        };
        (turn, effects)
    }
}

/// A fact is admitted, and the outcome is one that can be.
fn admit_and_check(
    guest: &mut Instance<TurnPorts>,
    ports: TurnPorts,
    id: ExecutionId,
    fact: &Event,
) -> (TurnPorts, Result<Outcome, CallError>) {
    let (ports, answer) = guest.admit(ports, id, fact);
    let answer = answer.and_then(|outcome| {
        let fault = outcome_fault(
            &ports.staged,
            std::slice::from_ref(fact),
            &outcome,
            ports.now,
        );
        match fault {
            Some(fault) => Err(CallError::Guest(GuestFailure::Malformed(fault))),
            None => Ok(outcome),
        }
    });
    (ports, answer)
}

/// What one tick came to.
#[derive(Clone, Copy, Debug)]
pub(in crate::live) struct Spent {
    /// How many decisions.
    pub(in crate::live) decided: usize,
    /// The bytes of their payloads, and of the work items that they order.
    pub(in crate::live) bytes: usize,
}

/// A tick, and what follows from it in the queue; both or neither. Says too
/// how much that was.
pub(in crate::live) fn tick_and_settle(
    guest: &mut Instance<TurnPorts>,
    ports: TurnPorts,
    id: ExecutionId,
) -> (TurnPorts, Result<(Outcome, Spent), CallError>) {
    let last = ports.staged.record.head.sequence;
    let (mut ports, answer) = guest.tick(ports, id, last);
    let outcome = match answer {
        Ok(outcome) => outcome,
        // That an order was refused says more than what the guest made of it.
        Err(CallError::Guest(error)) => {
            let error = match ports.orders.refused.take() {
                Some(fault) => GuestFailure::Malformed(fault),
                None => error,
            };
            return (ports, Err(error.into()));
        }
        Err(error) => return (ports, Err(error)),
    };
    let orders = std::mem::take(&mut ports.orders);
    let spent = Spent {
        decided: orders.decisions.len(),
        bytes: orders.payload_bytes(),
    };
    let answer = settle(&mut ports.staged, orders, &outcome, ports.now)
        .map(|()| (outcome, spent))
        .map_err(|fault| GuestFailure::Malformed(fault).into());
    (ports, answer)
}
