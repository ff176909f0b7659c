//! How an engine is put together and started.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::clock::{Clock, LogClock, SystemClock};
use crate::error::EngineError;
use crate::guest::{CallLimits, Library, Sandbox};
use crate::id::ExecutionId;
use crate::limits::{
    CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT, EVENTS_PER_SNAPSHOT,
    FALLBACK_POLL_DEFAULT, LEASE_DEFAULT, LEASE_MIN, STORE_RETRY_PAUSE, TurnLimits,
};
use crate::model::Limits;
use crate::store::Store;
use crate::trouble::Troubles;

use super::engine::Engine;
use super::steps::Steps;
use crate::live::cache::executions::ExecutionCache;
use crate::live::cache::guests::Guests;
use crate::live::cache::set_aside::SetAside;
use crate::live::runtime::commit_news::CommitNews;
use crate::live::runtime::event_loop::EventLoop;
use crate::live::runtime::file_watch::FileWatch;
use crate::live::runtime::inbox::{Inbox, InboxReceiver};
use crate::live::turn::backlog::Backlog;
use crate::live::turn::budget::Phase;
use crate::live::turn::core::Core;
use crate::live::turn::costly::Costly;
use crate::live::turn::engine_time::EngineTime;
use crate::live::turn::gone_workers::{GoneWorkers, worker_id};
use crate::live::turn::lease_watch::LeaseWatch;
use crate::live::turn::scope::Scope;
use crate::live::turn::settings::Settings;
use crate::live::turn::simulated_delays::SimulatedDelays;
use crate::live::turn::store_slot::StoreSlot;
use crate::live::values::facts;
use crate::live::values::panics::caught;
use crate::live::values::random::RandomSource;
use crate::live::workers::{Pool, Tasks};

/// Settles what an engine is to be like, and starts it.
pub struct Builder {
    store: Option<Box<dyn Store>>,
    guest: Option<Vec<u8>>,
    library: Option<Library>,
    call_limits: Option<CallLimits>,
    clock: Arc<dyn Clock>,
    seed: Option<u64>,
    scope: Scope,
    settings: Settings,
}

/// Who goes on with the engine.
enum Drive {
    /// A thread, with workers on this runtime.
    Thread(Handle),
    /// Whoever steps it.
    Steps,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            store: None,
            guest: None,
            library: None,
            call_limits: None,
            clock: Arc::new(SystemClock::default()),
            seed: None,
            scope: Scope::Everything,
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
                simulated: false,
                turn_limits: TurnLimits::default(),
            },
        }
    }
}

impl Builder {
    /// Where everything durable is. There is no engine without.
    #[must_use]
    pub fn store(self, store: impl Store + 'static) -> Self {
        self.boxed_store(Box::new(store))
    }

    /// As [`Builder::store`], for a store that was chosen at run time.
    #[must_use]
    pub fn boxed_store(self, store: Box<dyn Store>) -> Self {
        Self {
            store: Some(store),
            ..self
        }
    }

    /// How much of each execution that starts here may be under way (rule R4);
    /// 16 nodes at once and 8 work items a tick unless set.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How long a claim holds without a heartbeat; 10 seconds unless set. This
    /// is how long work rests when its worker died.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How often to look for what nobody told of; 500 milliseconds unless set.
    /// It only matters where no file watcher works.
    #[must_use]
    pub fn fallback_poll(mut self, interval: Duration) -> Self {
        self.settings.fallback_poll = interval;
        self
    }

    /// How many events there are between two snapshots of an execution; 1,000
    /// unless set, and more in a long log, up to a quarter of it. A snapshot
    /// spares reading the log's beginning anew, after a restart, and is
    /// otherwise of no effect.
    #[must_use]
    pub fn events_per_snapshot(mut self, events: NonZeroU64) -> Self {
        self.settings.events_per_snapshot = events;
        self
    }

    /// How much goes into one turn; unless set, enough for one sync to serve
    /// many. What does not fit goes into the next, which follows at once, and
    /// everyone has a turn before anyone has a second one. Small numbers are for
    /// tests and simulations, in which few have to be in each other's way.
    #[must_use]
    pub fn turn_limits(mut self, limits: TurnLimits) -> Self {
        self.settings.turn_limits = limits;
        self
    }

    /// The scheduler component of executions that start here; the built-in one
    /// unless set. Executions that are there already stay with theirs (law 10).
    #[must_use]
    pub fn guest(self, component: Vec<u8>) -> Self {
        Self {
            guest: Some(component),
            ..self
        }
    }

    /// The scheduler components at hand, and the sandbox that they run in: for
    /// many engines in one process, because clones of a library share what has
    /// been compiled. A library of its own unless set.
    #[must_use]
    pub fn library(self, library: Library) -> Self {
        Self {
            library: Some(library),
            ..self
        }
    }

    /// What each call into a scheduler component may take. A call that would
    /// take more is cut off, which stalls its execution (law 9).
    #[must_use]
    pub fn call_limits(self, limits: CallLimits) -> Self {
        Self {
            call_limits: Some(limits),
            ..self
        }
    }

    /// The clock; the machine's unless set.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// The name of this engine's workers in the log. No two engines should
    /// share one. Unless set, it names host, process and boot, so that the
    /// claims of a process that was killed need not wait for their leases' end
    /// where another engine of the same machine can see that it is gone.
    #[must_use]
    pub fn worker_id(mut self, worker_id: impl Into<String>) -> Self {
        self.settings.worker_id = worker_id.into();
        self
    }

    /// Work on simulated executions, and on no others: each work item is
    /// answered with `{}` after its node's label `simulate_ms`, on a clock that
    /// jumps to whatever is due next. Workers that are registered get nothing.
    #[must_use]
    pub fn simulated(mut self, simulated: bool) -> Self {
        self.settings.simulated = simulated;
        self
    }

    /// Work on these executions, and on those that are started here (also by a
    /// key that had started one before); on all unless set. Of the others in
    /// the store, none is woken, claimed, or taken from its worker; what is
    /// asked of them is done as ever. [`Engine::claim`] gives out work of these
    /// only.
    #[must_use]
    pub fn only(mut self, executions: impl IntoIterator<Item = ExecutionId>) -> Self {
        self.scope = Scope::Only(executions.into_iter().collect());
        self
    }

    /// Draw execution ids, the seeds of all jitter and the worker id from this
    /// seed, instead of at random: for tests and simulations. With the same
    /// seed, the same calls in the same order, a clock that is moved by hand
    /// and [`Builder::stepped`], the same logs are written, to the byte.
    ///
    /// Engines that share a store need different seeds, one after the other
    /// too: with the same one, the second would draw the first one's ids.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self {
            seed: Some(seed),
            ..self
        }
    }

    /// Start the engine: a thread of its own, and tasks on the current Tokio
    /// runtime.
    ///
    /// # Errors
    /// [`EngineError::Setup`] when what was settled cannot be, and
    /// [`EngineError::Store`] when the store cannot be read.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn start(self) -> Result<Engine, EngineError> {
        let (inbox, receiver) = Inbox::new();
        let (commits, committed) = CommitNews::channel();
        let (ready, started) = oneshot::channel();
        let (runtime, inner_inbox) = (Handle::current(), inbox.clone());
        let spawned = thread::Builder::new()
            .name("refrain-engine".to_owned())
            .spawn(move || {
                let drive = Drive::Thread(runtime);
                // The store and the clock are others' code, and may panic.
                let event_loop = caught(|| self.settle(drive, &inner_inbox, receiver, commits))
                    .unwrap_or_else(|said| Err(EngineError::Died(format!("it panicked: {said}"))));
                match event_loop {
                    Ok(event_loop) => {
                        if ready.send(Ok(event_loop.guest_digest())).is_ok() {
                            event_loop.run();
                        }
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        spawned
            .map_err(|error| EngineError::Setup(format!("no thread can be started: {error}")))?;
        let guest_digest = started.await.unwrap_or(Err(EngineError::ShutDown))?;
        Ok(Engine::new(inbox, committed, guest_digest))
    }

    /// Put the engine together without a thread and without a runtime: it goes
    /// on when it is stepped, and never otherwise. Calls on the engine are
    /// sent when they are first polled, and are ready after a step.
    ///
    /// Work that is given to [`Engine::work`] is polled within the steps. What
    /// needs a Tokio runtime, like the built-in workers, has to be stepped
    /// within one.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn stepped(mut self) -> Result<(Engine, Steps), EngineError> {
        let (inbox, receiver) = Inbox::new();
        let (commits, committed) = CommitNews::channel();
        self.settings.reopen_pause = Duration::ZERO;
        let event_loop = self.settle(Drive::Steps, &inbox, receiver, commits)?;
        let engine = Engine::new(inbox, committed, event_loop.guest_digest());
        Ok((engine, Steps::new(event_loop)))
    }

    /// All that the engine will own. Compiling a component takes a while,
    /// which is why this happens in the engine's thread where it has one.
    fn settle(
        mut self,
        drive: Drive,
        inbox: &Inbox,
        receiver: InboxReceiver,
        commits: CommitNews,
    ) -> Result<EventLoop, EngineError> {
        self.check()?;
        let store = self.store.take();
        let mut store = store.ok_or_else(|| {
            EngineError::Setup("it has no store; give it one with `store(…)`".to_owned())
        })?;
        let guests = self.guests()?;
        let (tasks, file_watch) = match drive {
            Drive::Thread(runtime) => {
                let file_watch = FileWatch::watching(store.watched_file().as_deref(), inbox);
                self.clock.on_moved(Box::new(file_watch.notifier(inbox)));
                (Tasks::Runtime(runtime), file_watch)
            }
            Drive::Steps => (Tasks::stepped(), FileWatch::never()),
        };
        let simulated_from = if self.settings.simulated {
            self.clock.now()
        } else {
            0
        };
        let mut time = EngineTime::new(LogClock::new(self.clock), simulated_from);
        time.look(store.as_mut())?;
        let leases = LeaseWatch::new(self.settings.lease);
        let core = Core {
            settings: self.settings,
            store: StoreSlot::new(store),
            scope: self.scope,
            guests,
            time,
            random: RandomSource::new(self.seed),
            known: ExecutionCache::default(),
            set_aside: SetAside::default(),
            pool: Pool::new(tasks, Arc::new(inbox.clone()), inbox.within()),
            simulated_delays: SimulatedDelays::default(),
            kept_guests: Vec::new(),
            left_leased: HashMap::new(),
            troubles: Troubles::default(),
            backlog: Backlog::default(),
            costly: Costly::default(),
            assured: Phase::default(),
            closing: inbox.closing(),
            leases,
            gone_workers: GoneWorkers::default(),
            version: None,
        };
        Ok(EventLoop::new(core, receiver, file_watch, commits))
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
        facts::text("worker id", &self.settings.worker_id)
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
        library.check(&own).map_err(|error| setup(&error))?;
        Ok(Guests::new(library, own))
    }
}
