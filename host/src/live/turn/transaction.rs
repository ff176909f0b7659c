//! What a turn is going to write, staged in memory.
//!
//! ```text
//! open         an execution comes into the turn: its record, and what is cached of it compared
//! next_event   what would stand next in its log
//! append       that event is staged
//! close        all of it, as one write
//! ```
//!
//! Calls of guests, and all that follows from them, are functions over it. What
//! they have in common is here; in which order a turn takes its executions, and
//! who claims their work, is not.

use std::collections::BTreeSet;

use hashlink::linked_hash_map::Entry;
use hashlink::{LinkedHashMap, LinkedHashSet};

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{Event, EventKind, Origin, RefusalCode};
use crate::store::{StoredEvent, Timestamp, Turn, check::TIME_MAX};

use super::budget::{Phase, TurnBudget};
use super::core::Core;
use super::damaged::undamaged;
use super::engine_time::TurnTime;
use super::known_children::ChildRows;
use crate::live::execution::cached::CacheUpdate;
use crate::live::execution::staged::Staged;
use crate::live::values::links::Links;

/// All that a turn is going to write.
pub(crate) struct Transaction<'a> {
    pub(in crate::live) core: &'a mut Core,
    pub(in crate::live) time: TurnTime,
    pub(in crate::live) budget: TurnBudget,
    /// The executions in the turn, in the order in which they came into it or were called
    /// last.
    pub(in crate::live) staged: LinkedHashMap<ExecutionId, Box<Staged>>,
    /// The executions of which more may be decided.
    pub(in crate::live) to_step: BTreeSet<ExecutionId>,
    /// The executions that have changed since claims were last compared with them.
    pub(in crate::live) changed: LinkedHashSet<ExecutionId>,
    /// What is written besides the staged executions.
    pub(in crate::live) besides: Turn,
    /// Children, and what is owed of them.
    pub(in crate::live) children: ChildRows,
    /// Which executions are linked.
    pub(in crate::live) links: Links,
    /// It holds something that must not be written: the turn is to be done anew.
    pub(in crate::live) is_undone: bool,
}

impl<'a> Transaction<'a> {
    /// A transaction of this time, with nothing in it.
    pub(in crate::live) fn new(core: &'a mut Core, time: TurnTime) -> Self {
        // Calls between the turns are not counted.
        core.guests.take_burnt();
        let limits = core.settings.turn_limits;
        let budget = TurnBudget::new(limits, time.real.monotonic, core.assured);
        Self {
            core,
            time,
            budget,
            staged: LinkedHashMap::new(),
            to_step: BTreeSet::new(),
            changed: LinkedHashSet::new(),
            besides: Turn::default(),
            children: ChildRows::default(),
            links: Links::default(),
            is_undone: false,
        }
    }

    /// Brings an execution into the turn.
    pub(in crate::live) fn open(&mut self, id: ExecutionId) -> Result<&mut Staged, EngineError> {
        match self.staged.entry(id) {
            Entry::Occupied(staged) => Ok(staged.into_mut()),
            Entry::Vacant(place) => {
                let known = undamaged(self.core, id)?;
                if known.record.erased.is_some() {
                    return Err(EngineError::Refused {
                        execution: id,
                        code: RefusalCode::Ended,
                        reason: "its log is erased: nothing follows on it".to_owned(),
                    });
                }
                self.core.compare(&known.record)?;
                let salts = self.core.random.salts();
                Ok(place.insert(Box::new(Staged::stored(known, salts))))
            }
        }
    }

    /// A page of an execution's events, stored and staged.
    pub(in crate::live) fn events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, EngineError> {
        self.open(id)?;
        Ok(self.staged[&id].page(self.core.store.get(), first, max)?)
    }

    /// What would stand next in an execution's log.
    pub(in crate::live) fn next_event(
        &mut self,
        id: ExecutionId,
        origin: Origin,
        kind: EventKind,
    ) -> Result<Event, EngineError> {
        let time = self.time;
        let staged = self.open(id)?;
        let record = &staged.record;
        let at = staged.reading(time.at);
        Ok(Event {
            sequence: record.head.sequence + 1,
            at,
            origin,
            kind,
        })
    }

    /// Appends a fact that has been checked, with what follows from it for its node's
    /// item.
    pub(in crate::live) fn append(
        &mut self,
        id: ExecutionId,
        fact: Event,
    ) -> Result<(), EngineError> {
        self.changed.insert(id);
        self.open(id)?.take_fact(fact);
        Ok(())
    }

    /// The execution is to be stepped before the turn is over.
    pub(in crate::live) fn step_later(&mut self, id: ExecutionId) {
        self.budget.took_fact();
        self.to_step.insert(id);
    }

    /// Whether the next thing of this phase may be done: the turn has something
    /// left, or the phase is assured of it. It is to be done then.
    pub(in crate::live) fn may(&mut self, phase: Phase) -> bool {
        if self.core.closing.is_asked_for() {
            self.budget.end();
        }
        self.budget.may(phase)
    }

    /// The turn's reading for the executions that this engine works on.
    pub(in crate::live) fn now(&self) -> Timestamp {
        self.time.at
    }

    /// The time so much later; no later than the last time that a store keeps.
    pub(in crate::live) fn later(&self, span_ms: u64) -> Timestamp {
        self.now().saturating_add(span_ms).min(TIME_MAX)
    }

    /// All of it as one write, and what the turn leaves of its executions.
    pub(in crate::live) fn close(self) -> (Turn, Vec<CacheUpdate>) {
        if self.budget.is_over() {
            self.core.assured = self.core.assured.next();
        }
        self.core.children.count(&self.children.descendants);
        // A store writes them in the order of its keys.
        let mut staged: Vec<_> = self.staged.into_iter().collect();
        staged.sort_unstable_by_key(|(id, _)| *id);
        let settled = staged.into_iter().map(|(_, staged)| staged.settled());
        let (changes, left): (Vec<_>, Vec<_>) = settled.unzip();
        let besides = self.besides.executions;
        let turn = Turn {
            executions: changes.into_iter().flatten().chain(besides).collect(),
            reading: self.core.time.written(self.time),
            children: self.children.into_changes(),
            ..self.besides
        };
        (turn, left)
    }
}
