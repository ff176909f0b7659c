//! What an engine's event loop works with: the store, the guests, the time, the
//! workers. There are no locks, because nothing else has access to it.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::clock::{LogClock, LogTime, milliseconds};
use crate::contract::{EventKind, Limits, SchedulerError, Status, WorkflowSummary};
use crate::error::EngineError;
use crate::guest::{CallError, Instance};
use crate::id::ExecutionId;
use crate::limits::{HEARTBEATS_PER_LEASE, TurnLimits};
use crate::store::{
    ClockReading, ExecutionRecord, Head, Lease, Store, StoreError, Timestamp, ended,
};
use crate::trouble::Troubles;

use super::budget::Phase;
use super::costly::Costly;
use super::due::Rounds;
use super::lease_watch::LeaseWatch;
use super::liveness::Liveness;
use super::scope::{Agenda, Scope};
use super::simulation::Simulation;
use super::steps_owed::Late;
use crate::live::cache::executions::ExecutionCache;
use crate::live::cache::instances::{Failure, Guests};
use crate::live::cache::set_aside::SetAside;
use crate::live::execution::cached::{Activity, CachedExecution};
use crate::live::execution::items::StoredItems;
use crate::live::execution::ports::{Orders, TurnPorts};
use crate::live::execution::staged::Staged;
use crate::live::values::closing::ClosingFlag;
use crate::live::values::random::RandomSource;
use crate::live::values::work::ClaimId;
use crate::live::values::workflow::Workflow;
use crate::live::workers::Pool;

/// What the builder settled.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The limits of executions that start here.
    pub(crate) limits: Limits,
    /// How long a claim holds without a heartbeat.
    pub(crate) lease: Duration,
    /// How often to look for what nobody told of.
    pub(crate) fallback_poll: Duration,
    /// Events between two snapshots of an execution.
    pub(crate) events_per_snapshot: NonZeroU64,
    /// How long to leave a store alone that does not open again yet.
    pub(crate) reopen_pause: Duration,
    /// The name of this engine's workers.
    pub(crate) worker_id: String,
    /// Whether this engine works on simulated executions, and on no others.
    pub(crate) simulated: bool,
    /// How much goes into one turn.
    pub(crate) turn_limits: TurnLimits,
}

impl Settings {
    pub(crate) fn lease_ms(&self) -> u64 {
        milliseconds(self.lease)
    }

    /// How long before its end a claim is renewed.
    pub(crate) fn renewal_ms(&self) -> u64 {
        self.lease_ms() - self.lease_ms() / u64::from(HEARTBEATS_PER_LEASE)
    }
}

/// All that an engine owns.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) store: StoreSlot,
    /// What it works on.
    pub(crate) scope: Scope,
    pub(crate) guests: Guests,
    pub(crate) time: EngineTime,
    pub(crate) random: RandomSource,
    /// What is stored, as far as it is known without reading it.
    pub(crate) known: ExecutionCache,
    /// What is damaged, and left alone.
    pub(crate) set_aside: SetAside,
    pub(crate) pool: Pool,
    pub(crate) simulation: Simulation,
    /// The guests that the store is known to have.
    pub(crate) kept_guests: Vec<String>,
    /// Claims whose end could not be recorded, because the guest does not
    /// take it, with the head of its log then; tried again when that has moved.
    pub(crate) left_leased: HashMap<ClaimId, Head>,
    /// What goes wrong, and was told.
    pub(crate) troubles: Troubles,
    /// How far it has come with executions that are due.
    pub(crate) rounds: Rounds,
    /// The group that claims first.
    pub(crate) first_group: usize,
    /// Executions that come after the others: those that are owed a step first.
    pub(crate) late: Late,
    /// Executions whose calls cost much.
    pub(crate) costly: Costly,
    /// The phase that is served in the next turn even if that is over.
    pub(crate) assured: Phase,
    /// Whether somebody waits for the engine to come to its end.
    pub(crate) closing: ClosingFlag,
    /// Whether leases that are over may be ended.
    pub(crate) leases: LeaseWatch,
    /// Which workers elsewhere are gone.
    pub(crate) liveness: Liveness,
    /// The store's version when it was last looked at; none: it was opened anew.
    pub(crate) version: Option<u64>,
}

/// A turn's clock readings. Simulated executions have a time of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnTime {
    pub(in crate::live) real: LogTime,
    simulated: Timestamp,
}

impl TurnTime {
    /// The reading for executions of real or simulated time.
    pub(crate) fn of(self, simulated: bool) -> Timestamp {
        if simulated {
            self.simulated
        } else {
            self.real.at
        }
    }
}

/// The engine's time. Simulated time stands, except where the engine that
/// simulates moves it on.
pub(crate) struct EngineTime {
    clock: LogClock,
    simulated: Timestamp,
}

impl EngineTime {
    pub(crate) fn new(clock: LogClock, simulated_from: Timestamp) -> Self {
        Self {
            clock,
            simulated: simulated_from,
        }
    }

    /// Look at what is stored: others may have written.
    pub(crate) fn look(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        // Not at simulated executions: how far one of them is is its own
        // affair, and each is at its own last event at least.
        self.clock.look(store)
    }

    /// Look, and read the clock.
    pub(crate) fn read(&mut self, store: &mut dyn Store) -> Result<TurnTime, StoreError> {
        self.look(store)?;
        Ok(self.turn())
    }

    /// A turn's readings, by what was stored at the last look.
    fn turn(&mut self) -> TurnTime {
        TurnTime {
            real: self.clock.read_aloud(),
            simulated: self.simulated,
        }
    }

    /// What time it is, between turns, as far as this engine knows.
    fn glance(&self, simulated: bool) -> Timestamp {
        if simulated {
            self.simulated
        } else {
            self.clock.now()
        }
    }

    /// A turn of these readings was written.
    pub(crate) fn wrote(&mut self, time: TurnTime) {
        self.clock.wrote(time.real);
        self.simulated = self.simulated.max(time.simulated);
    }

    /// The reading, as a turn writes it.
    pub(crate) fn written(&self, time: TurnTime) -> ClockReading {
        self.clock.written(time.real)
    }

    /// The clock's time that never goes back.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Let simulated time jump.
    pub(crate) fn jump(&mut self, to: Timestamp) {
        self.simulated = self.simulated.max(to);
    }
}

/// The place of the store, which is lent to the ports for the length of a call.
pub(crate) struct StoreSlot(Option<Box<dyn Store>>);

impl StoreSlot {
    pub(crate) fn new(store: Box<dyn Store>) -> Self {
        Self(Some(store))
    }

    /// The store.
    pub(crate) fn get(&mut self) -> &mut dyn Store {
        self.0.as_deref_mut().expect(
            "the store is lent only during a call into a guest, and comes back with its answer",
        )
    }

    fn lend(&mut self) -> Box<dyn Store> {
        self.0
            .take()
            .expect("calls into guests do not nest, so the store is here")
    }

    /// Whether it is here: it is not where a call into a guest panicked.
    pub(crate) fn is_here(&self) -> bool {
        self.0.is_some()
    }

    fn give_back(&mut self, store: Box<dyn Store>) {
        self.0 = Some(store);
    }
}

/// One call into a guest: about what, and with which rights.
pub(crate) struct Asking {
    /// The execution.
    pub(crate) staged: Box<Staged>,
    /// The turn's clock reading.
    pub(crate) now: Timestamp,
    /// The workflow's text, where the turn itself registered it.
    pub(crate) workflow_text: Option<String>,
    /// Whether the call may append and order: a tick may.
    pub(crate) may_order: bool,
}

impl Core {
    /// Ask the execution's guest, and have the execution back with its answer.
    pub(crate) fn ask<T>(
        &mut self,
        asking: Asking,
        call: impl Fn(&mut Instance<TurnPorts>, TurnPorts) -> (TurnPorts, Result<T, CallError>),
    ) -> (Box<Staged>, Result<T, Failure>) {
        let Asking {
            staged,
            now,
            workflow_text,
            may_order,
        } = asking;
        let ports = TurnPorts {
            store: self.store.lend(),
            staged,
            orders: Orders::default(),
            order_rules: None,
            workflow_text,
            now,
            may_order,
        };
        // What a tick refuses is its own doing; what any other call refuses is its answer.
        let (ports, answer) = self.guests.ask(ports, !may_order, call);
        self.store.give_back(ports.store);
        if let Some(reason) = &ports.staged.bad_snapshot {
            let id = ports.staged.record.id;
            self.set_aside.say(&format!(
                "the snapshot of {id} is not used, and its log is read instead: {reason}"
            ));
        }
        (ports.staged, answer)
    }

    /// Ask the guest about what is stored, outside of a turn.
    pub(crate) fn question<T>(
        &mut self,
        id: ExecutionId,
        call: impl Fn(&mut Instance<TurnPorts>, TurnPorts) -> (TurnPorts, Result<T, CallError>),
    ) -> Result<T, EngineError> {
        let record = self.record(id)?;
        let now = self.time.read(self.store.get())?.of(record.simulated);
        self.guests.compare(&record, self.store.get())?;
        let digest = record.guest_digest.clone();
        // One that is only looked at is not kept for long.
        let going = match ended(record.status) {
            true => Activity::Ended,
            false => Activity::Idle,
        };
        let known = (id, record.head, going);
        let asking = Asking {
            // No items: a question orders nothing.
            staged: Box::new(Staged::stored(CachedExecution {
                record,
                items: StoredItems::new(),
                held: false,
            })),
            now,
            workflow_text: None,
            may_order: false,
        };
        let (_, answer) = self.ask(asking, call);
        self.guests.committed(std::iter::once(known));
        answer.map_err(|failure| failure.into_engine_error(id, &digest))
    }

    /// What there is to do.
    pub(crate) fn agenda(&mut self) -> Agenda<'_> {
        Agenda {
            scope: &mut self.scope,
            known: &mut self.known,
            store: self.store.get(),
        }
    }

    /// Take the write lock.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        let asked = self.time.monotonic();
        match self.store.get().begin() {
            Ok(()) => self.leases.lock_had(asked, self.time.monotonic()),
            Err(error) => {
                self.leases.lock_missed();
                return Err(error);
            }
        }
        Ok(())
    }

    /// A turn's readings.
    pub(crate) fn turn_time(&mut self) -> Result<TurnTime, StoreError> {
        if !self.known.nothing_due.knows_times() {
            self.time.look(self.store.get())?;
            self.known.nothing_due.times_known();
        }
        let time = self.time.turn();
        self.leases.read(time.real.at, time.real.monotonic);
        Ok(time)
    }

    /// What time it is, between turns, for the executions that this engine
    /// works on.
    pub(crate) fn now(&self) -> Timestamp {
        self.time.glance(self.settings.simulated)
    }

    /// Up to when leases that are over may be ended, where it is `now`.
    pub(crate) fn ends_leases_until(&self, now: Timestamp) -> Timestamp {
        if self.settings.simulated || self.leases.may_end(self.time.monotonic()) {
            now
        } else {
            Lease::GIVEN_UP
        }
    }

    /// Is this workflow valid (rule R1)?
    pub(crate) fn validate(&mut self, workflow: &Workflow) -> Result<WorkflowSummary, EngineError> {
        match self.guests.validate(workflow.text()) {
            Ok(Ok(summary)) => Ok(summary),
            Ok(Err(faults)) => Err(EngineError::InvalidWorkflow(faults)),
            Err(Failure::Store(error)) => Err(error.into()),
            Err(Failure::Refused(refusal)) => {
                Err(self.guest_error(CallError::Scheduler(refusal).to_string()))
            }
            Err(Failure::Broken(reason)) => Err(self.guest_error(reason)),
        }
    }

    fn guest_error(&self, reason: String) -> EngineError {
        EngineError::Guest {
            digest: self.guests.own().to_owned(),
            reason,
        }
    }

    /// An execution and all its work items, known or read.
    pub(crate) fn execution(&mut self, id: ExecutionId) -> Result<CachedExecution, EngineError> {
        if let Some(known) = self.known.take(id) {
            return Ok(known);
        }
        let record = self.record(id)?;
        let held = record.status == Status::Stalled && self.stalled_by_the_host(id, record.head)?;
        let items = self.store.get().items(id)?.all()?.into_iter();
        Ok(CachedExecution {
            record,
            items: items
                .map(|record| (record.item.node_id.clone(), Box::new(record)))
                .collect(),
            held,
        })
    }

    /// The execution's record.
    pub(crate) fn record(&mut self, id: ExecutionId) -> Result<ExecutionRecord, EngineError> {
        self.store
            .get()
            .execution(id)?
            .ok_or(EngineError::UnknownExecution(id))
    }

    /// Whether the last stall in the log is the host's, and not lifted. Read
    /// from the end, because stalled executions write little.
    pub(crate) fn stalled_by_the_host(
        &mut self,
        id: ExecutionId,
        head: Head,
    ) -> Result<bool, EngineError> {
        const STEP: u32 = 64;
        let mut end = head.sequence;
        while end > 0 {
            let first = end.saturating_sub(u64::from(STEP)) + 1;
            let page = self.store.get().events(id, first, STEP)?;
            for stored in page.iter().rev() {
                match &stored.event.kind {
                    EventKind::Stalled(stalled) if stalled.node_id.is_none() => return Ok(true),
                    EventKind::StallLifted(_) => return Ok(false),
                    _ => {}
                }
            }
            end = first - 1;
        }
        Ok(false)
    }
}

impl Failure {
    /// The failure as a caller sees it.
    pub(crate) fn into_engine_error(self, id: ExecutionId, digest: &str) -> EngineError {
        match self {
            Self::Store(error) => error.into(),
            Self::Refused(SchedulerError::UnknownNode(node_id)) => EngineError::UnknownNode {
                execution: id,
                node_id,
            },
            Self::Refused(SchedulerError::Illegal(illegal)) => EngineError::Refused {
                execution: id,
                reason: illegal.reason,
            },
            Self::Refused(SchedulerError::InvalidWorkflow(faults)) => {
                EngineError::InvalidWorkflow(faults)
            }
            Self::Refused(other) => EngineError::Guest {
                digest: digest.to_owned(),
                reason: CallError::Scheduler(other).to_string(),
            },
            Self::Broken(reason) => EngineError::Guest {
                digest: digest.to_owned(),
                reason,
            },
        }
    }
}
