//! The parts of an engine, and how they are put together.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::clock::{Clock, LogClock, SystemClock};
use crate::error::EngineError;
use crate::guest::{CallLimits, ComponentError, Library, LibraryError, Sandbox};
use crate::limits::{
    CALLERS_BYTES_MAX_DEFAULT, CALLERS_MAX_DEFAULT, CONCURRENT_NODES_DEFAULT,
    DISPATCH_PER_TICK_DEFAULT, EVENTS_PER_SNAPSHOT, FALLBACK_POLL_DEFAULT, GUESTS_FULL_MAX,
    LEASE_DEFAULT, LEASE_MIN, STORE_RETRY_PAUSE, TENANT_DEFAULT, TurnLimits,
};
use crate::model::Limits;
use crate::secrets::Secrets;
use crate::store::{SeenUpTo, Store};
use crate::trouble::Troubles;

use crate::live::cache::conflicts::Conflicts;
use crate::live::cache::executions::ExecutionCache;
use crate::live::cache::guests::Guests;
use crate::live::cache::instances::MemoryBounds;
use crate::live::cache::set_aside::SetAside;
use crate::live::runtime::event_loop::EventLoop;
use crate::live::runtime::file_watch::FileWatch;
use crate::live::runtime::inbox::{Inbox, InboxReceiver};
use crate::live::runtime::observers::Observers;
use crate::live::runtime::questions::Questions;
use crate::live::runtime::readers::Readers;
use crate::live::turn::active_breakpoints::ActiveBreakpoints;
use crate::live::turn::backlog::Backlog;
use crate::live::turn::budget::Phase;
use crate::live::turn::core::Core;
use crate::live::turn::costly::Costly;
use crate::live::turn::engine_time::{EngineTime, SimulatedTime};
use crate::live::turn::gone_workers::{GoneWorkers, worker_id};
use crate::live::turn::known_children::KnownChildren;
use crate::live::turn::lease_watch::LeaseWatch;
use crate::live::turn::scope::Scope;
use crate::live::turn::settings::Settings;
use crate::live::turn::simulated_delays::SimulatedDelays;
use crate::live::turn::store_slot::StoreSlot;
use crate::live::turn::waiting_claims::WaitingClaims;
use crate::live::values::callers::CallersMax;
use crate::live::values::facts;
use crate::live::values::random::RandomSource;
use crate::live::workers::{Pool, Tasks};

/// The parts of an engine that is to be.
pub(in crate::live) struct Parts {
    pub(in crate::live) store: Option<Box<dyn Store>>,
    pub(in crate::live) guest: Option<Vec<u8>>,
    pub(in crate::live) library: Option<Library>,
    pub(in crate::live) call_limits: Option<CallLimits>,
    pub(in crate::live) clock: Arc<dyn Clock>,
    pub(in crate::live) seed: Option<u64>,
    pub(in crate::live) scope: Scope,
    pub(in crate::live) callers_max: CallersMax,
    pub(in crate::live) settings: Settings,
    pub(in crate::live) secrets: Vec<Box<dyn Secrets>>,
}

/// What makes the engine go on.
pub(in crate::live) enum Drive {
    /// A thread, with workers on this runtime.
    Thread(Handle),
    /// A caller that steps it.
    Steps,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            store: None,
            guest: None,
            library: None,
            call_limits: None,
            clock: Arc::new(SystemClock::default()),
            seed: None,
            scope: Scope::Everything,
            callers_max: CallersMax {
                callers: CALLERS_MAX_DEFAULT,
                bytes: CALLERS_BYTES_MAX_DEFAULT,
            },
            settings: Settings {
                limits: Limits {
                    max_concurrent_nodes: CONCURRENT_NODES_DEFAULT,
                    max_dispatch_per_tick: DISPATCH_PER_TICK_DEFAULT,
                },
                lease: LEASE_DEFAULT,
                fallback_poll: FALLBACK_POLL_DEFAULT,
                events_per_snapshot: EVENTS_PER_SNAPSHOT,
                reopen_pause: STORE_RETRY_PAUSE,
                worker_id: String::new(),
                tenant: TENANT_DEFAULT.to_owned(),
                simulated: false,
                turn_limits: TurnLimits::default(),
            },
            secrets: Vec::new(),
        }
    }
}

impl Parts {
    /// Puts the engine together. Compiling a component takes a while, which is why
    /// this happens in the engine's thread where it has one.
    pub(in crate::live) fn assemble(
        mut self,
        drive: Drive,
        inbox: &Inbox,
        receiver: InboxReceiver,
        observers: Arc<Observers>,
    ) -> Result<EventLoop, EngineError> {
        self.check()?;
        let store = self.store.take();
        let mut store = store.ok_or_else(|| {
            EngineError::Setup("it has no store; give it one with `store(…)`".to_owned())
        })?;
        self.check_kind(store.as_ref())?;
        let guests = self.guests()?;
        let is_stepped = matches!(drive, Drive::Steps);
        let readers = Arc::new(Readers::new(store.reader()?, is_stepped));
        let (tasks, file_watch) = match drive {
            Drive::Thread(runtime) => {
                let file_watch = FileWatch::watching(store.watched_file().as_deref(), inbox);
                self.clock.on_moved(Box::new(file_watch.notifier(inbox)));
                (Tasks::Runtime(runtime), file_watch)
            }
            Drive::Steps => (Tasks::stepped(), FileWatch::never()),
        };
        let simulated = self.settings.simulated;
        let simulated = simulated.then(|| SimulatedTime::from(self.clock.now()));
        let time = |clock| EngineTime::new(LogClock::new(clock), simulated.clone());
        let random = RandomSource::new(self.seed);
        let questions = Arc::new(Questions::new(
            Arc::clone(&readers),
            guests.library(),
            Arc::clone(guests.own()),
            time(Arc::clone(&self.clock)),
            random.salts(),
        ));
        let mut time = time(self.clock);
        time.look(store.as_mut())?;
        let leases = LeaseWatch::new(self.settings.lease);
        let core = Core {
            settings: self.settings,
            store: StoreSlot::new(store),
            scope: self.scope,
            guests,
            time,
            random,
            known: ExecutionCache::default(),
            set_aside: SetAside::default(),
            children: KnownChildren::default(),
            conflicts: Conflicts::default(),
            pool: Pool::new(
                tasks,
                Arc::new(inbox.clone()),
                inbox.within(),
                self.secrets.into(),
            ),
            waiting_claims: WaitingClaims::default(),
            simulated_delays: SimulatedDelays::default(),
            kept_guests: Vec::new(),
            left_leased: HashMap::new(),
            troubles: Troubles::default(),
            backlog: Backlog::default(),
            costly: Costly::default(),
            breakpoints: ActiveBreakpoints::default(),
            assured: Phase::default(),
            closing: inbox.closing(),
            leases,
            gone_workers: GoneWorkers::default(),
            version: None,
            seen_up_to: SeenUpTo::NOTHING_YET,
        };
        Ok(EventLoop::new(
            core, receiver, file_watch, observers, readers, questions,
        ))
    }

    fn check(&mut self) -> Result<(), EngineError> {
        let Limits {
            max_concurrent_nodes,
            max_dispatch_per_tick,
        } = self.settings.limits;
        if max_concurrent_nodes == 0 || max_dispatch_per_tick == 0 {
            return Err(EngineError::Setup(
                "a limit of zero lets nothing run; set both limits to 1 at least".to_owned(),
            ));
        }
        if self.settings.turn_limits.smallest() == 0 {
            return Err(EngineError::Setup(
                "turns that hold nothing lead nowhere; set each of their limits to 1 at least"
                    .to_owned(),
            ));
        }
        if self.settings.lease < LEASE_MIN {
            return Err(EngineError::Setup(format!(
                "a lease shorter than {LEASE_MIN:?} ends before its heartbeat; set a longer one"
            )));
        }
        if self.settings.worker_id.is_empty() {
            self.settings.worker_id = match self.seed {
                Some(seed) => format!("seeded-{seed}"),
                None => worker_id(),
            };
        }
        facts::text("worker id", &self.settings.worker_id)?;
        facts::text("tenant", &self.settings.tenant)
    }

    /// No worker does for real what is simulated, and nothing is simulated that is to be
    /// done.
    fn check_kind(&self, store: &dyn Store) -> Result<(), EngineError> {
        let (works_on, keeps) = match (self.settings.simulated, store.is_simulated()) {
            (true, false) => ("simulated executions", "those of real time"),
            (false, true) => ("executions of real time", "simulated ones"),
            (true, true) | (false, false) => return Ok(()),
        };
        Err(EngineError::Setup(format!(
            "the engine works on {works_on}, and {} keeps {keeps}; simulated executions have a store of their own",
            store.place()
        )))
    }

    fn guests(&mut self) -> Result<Guests, EngineError> {
        let setup = |error: &dyn std::error::Error| EngineError::Setup(error.to_string());
        let mut library = match self.library.take() {
            Some(library) => library,
            None => {
                let sandbox = Sandbox::new(CallLimits::default()).map_err(|error| setup(&error))?;
                Library::new(sandbox)
            }
        };
        if let Some(limits) = self.call_limits {
            library = library.with_limits(limits);
        }
        let own = match self.guest.take() {
            Some(bytes) => library.add(bytes).map_err(|error| setup(&error))?,
            None => library.built_in().to_owned(),
        };
        library.check(&own).map_err(|error| match error {
            LibraryError::Refused {
                reason: ComponentError::NoCompiler,
                ..
            } => EngineError::NoCompiler,
            error => setup(&error),
        })?;
        let bounds = MemoryBounds {
            others_bytes_max: library.limits().memory_bytes_max * (GUESTS_FULL_MAX - 1),
            keeps_large: true,
        };
        Ok(Guests::new(library, own.into(), bounds))
    }
}
