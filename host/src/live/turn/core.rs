//! All that an engine's event loop works with: the store, the guests, the time,
//! the workers. There are no locks, because nothing else has access to it.

use std::collections::HashMap;

use crate::store::{ExecutionRecord, Head, SeenUpTo, StoreError, Timestamp};
use crate::trouble::Troubles;

use super::active_breakpoints::ActiveBreakpoints;
use super::agenda::Agenda;
use super::backlog::Backlog;
use super::budget::Phase;
use super::costly::Costly;
use super::engine_time::{EngineTime, TurnTime};
use super::gone_workers::GoneWorkers;
use super::known_children::KnownChildren;
use super::lease_watch::LeaseWatch;
use super::scope::Scope;
use super::settings::Settings;
use super::simulated_delays::SimulatedDelays;
use super::store_slot::StoreSlot;
use super::waiting_claims::WaitingClaims;
use crate::live::cache::conflicts::Conflicts;
use crate::live::cache::executions::ExecutionCache;
use crate::live::cache::guests::Guests;
use crate::live::cache::set_aside::SetAside;
use crate::live::values::closing::ClosingFlag;
use crate::live::values::random::RandomSource;
use crate::live::values::work::ClaimId;
use crate::live::workers::Pool;

/// All that an engine owns.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) store: StoreSlot,
    /// The executions that it works on.
    pub(crate) scope: Scope,
    pub(crate) guests: Guests,
    pub(crate) time: EngineTime,
    pub(crate) random: RandomSource,
    /// Stored executions, as far as they are known without reading them.
    pub(crate) known: ExecutionCache,
    /// Whether there are children, and something is owed of them.
    pub(crate) children: KnownChildren,
    /// Executions that are damaged, and left alone.
    pub(crate) set_aside: SetAside,
    /// Executions whose writes conflict with those of others.
    pub(crate) conflicts: Conflicts,
    pub(crate) pool: Pool,
    /// Workers outside that wait for work.
    pub(crate) waiting_claims: WaitingClaims,
    /// How long simulated workers take.
    pub(crate) simulated_delays: SimulatedDelays,
    /// The guests that the store is known to have.
    pub(crate) kept_guests: Vec<String>,
    /// Claims whose end could not be recorded, because the guest did not take
    /// it, with the head of the log at that time; they are tried again when the
    /// log has grown.
    pub(crate) left_leased: HashMap<ClaimId, Head>,
    /// Problems that were reported already.
    pub(crate) troubles: Troubles,
    /// What the last turn left to the next.
    pub(crate) backlog: Backlog,
    /// Executions whose calls cost much.
    pub(crate) costly: Costly,
    /// The phase that is served in the next turn even if that is over.
    pub(crate) assured: Phase,
    /// Where executions are to be paused by themselves.
    pub(crate) breakpoints: ActiveBreakpoints,
    /// Whether somebody waits for the engine to come to its end.
    pub(crate) closing: ClosingFlag,
    /// Whether leases that are over may be ended.
    pub(crate) leases: LeaseWatch,
    /// Which workers of other processes are gone.
    pub(crate) gone_workers: GoneWorkers,
    /// The store's version when it was last looked at; `None` if it was opened
    /// anew since.
    pub(crate) version: Option<u64>,
    /// The place up to which the logs of the store were seen when others had committed.
    pub(crate) seen_up_to: SeenUpTo,
}

impl Core {
    /// What there is to do.
    pub(crate) fn agenda(&mut self) -> Agenda<'_> {
        Agenda {
            scope: &mut self.scope,
            known: &mut self.known,
            store: self.store.get(),
        }
    }

    /// The execution is about to be used: its guest forgets it, unless what the guest
    /// knows is a part of the log.
    pub(crate) fn compare(&mut self, record: &ExecutionRecord) -> Result<(), StoreError> {
        let store = self.store.get();
        self.known.compare(record, &mut self.guests, store)
    }

    /// Takes the write lock.
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

    /// Reads the clocks for a turn.
    pub(crate) fn turn_time(&mut self) -> Result<TurnTime, StoreError> {
        if !self.known.nothing_due.knows_times() {
            self.time.look(self.store.get())?;
            self.known.nothing_due.times_known();
        }
        let time = self.time.turn();
        self.leases.read(time.real.at, time.real.monotonic);
        Ok(time)
    }

    /// The queues on which somebody is free: own workers, or some outside that wait.
    pub(crate) fn free_queues(&self) -> Vec<String> {
        let mut queues = self.pool.free_queues();
        queues.extend(self.waiting_claims.queues());
        queues
    }

    /// What time it is, between turns, for the executions that this engine
    /// works on.
    pub(crate) fn now(&self) -> Timestamp {
        self.time.glance()
    }

    /// Leases that were over at this time may be ended, where it is `now`.
    pub(crate) fn ends_leases_until(&self, now: Timestamp) -> Timestamp {
        if self.settings.simulated || self.leases.may_end(self.time.monotonic()) {
            now
        } else {
            Timestamp::MIN
        }
    }
}
