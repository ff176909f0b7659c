//! How an engine is put together and started.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::clock::{Clock, SystemClock, TurnClock};
use crate::contract::Limits;
use crate::error::EngineError;
use crate::guest::{CallLimits, Library, Sandbox};
use crate::limits::{
    CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT, FALLBACK_POLL_DEFAULT, LEASE_DEFAULT,
    LEASE_MIN,
};
use crate::store::Store;

use super::core::{Core, EngineTime, Settings, StoreSlot};
use super::engine::Engine;
use super::facts;
use super::guests::Guests;
use super::link::Link;
use super::liveness::{self, Liveness};
use super::owner::Owner;
use super::simulation::Simulation;
use super::wake::Wake;
use super::workers::Pool;

/// Settles what an engine is to be like, and starts it.
pub struct Builder {
    store: Option<Box<dyn Store>>,
    guest: Option<Vec<u8>>,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            store: None,
            guest: None,
            clock: Arc::new(SystemClock::default()),
            settings: Settings {
                limits: Limits {
                    max_concurrent_nodes: CONCURRENT_NODES_DEFAULT,
                    max_dispatch_per_tick: DISPATCH_PER_TICK_DEFAULT,
                },
                lease: LEASE_DEFAULT,
                fallback_poll: FALLBACK_POLL_DEFAULT,
                worker_id: String::new(),
                simulated: false,
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

    /// The scheduler component of executions that start here; the built-in one
    /// unless set. Executions that are there already stay with theirs (law 10).
    #[must_use]
    pub fn guest(self, component: Vec<u8>) -> Self {
        Self {
            guest: Some(component),
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
        let (to, inbox) = mpsc::channel();
        let link = Link::new(to);
        let (commits, committed) = watch::channel(0);
        let (ready, started) = oneshot::channel();
        let (runtime, inner_link) = (Handle::current(), link.clone());
        let spawned = thread::Builder::new()
            .name("refrain-engine".to_owned())
            .spawn(move || {
                let owner = self
                    .settle(runtime, &inner_link)
                    .map(|(core, wake)| Owner::new(core, inbox, wake, commits));
                match owner {
                    Ok(owner) => {
                        if ready.send(Ok(owner.guest_digest())).is_ok() {
                            owner.run();
                        }
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        spawned
            .map_err(|error| EngineError::Setup(format!("no thread can be started: {error}")))?;
        let guest_digest = started.await.unwrap_or(Err(EngineError::ShutDown))?;
        Ok(Engine::new(link, committed, guest_digest))
    }

    /// All that the engine's thread will own. Compiling a component takes a
    /// while, which is why this happens there.
    fn settle(mut self, runtime: Handle, link: &Link) -> Result<(Core, Wake), EngineError> {
        self.check()?;
        let store = self.store.take();
        let mut store = store.ok_or_else(|| {
            EngineError::Setup("it has no store; give it one with `store(…)`".to_owned())
        })?;
        let guests = guests(self.guest.take())?;
        let wake = Wake::watching(store.watched_file().as_deref(), link);
        self.clock.on_moved(Box::new(wake.nudger(link)));
        let simulated_from = if self.settings.simulated {
            self.clock.now()
        } else {
            0
        };
        let mut time = EngineTime::new(TurnClock::new(self.clock), simulated_from);
        time.read(store.as_mut())?;
        let core = Core {
            settings: self.settings,
            store: StoreSlot::new(store),
            guests,
            time,
            pool: Pool::new(runtime, link.clone()),
            simulation: Simulation::default(),
            kept_guests: Vec::new(),
            left_leased: HashSet::new(),
            liveness: Liveness::default(),
        };
        Ok((core, wake))
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
        if self.settings.lease < LEASE_MIN {
            return Err(EngineError::Setup(format!(
                "a lease shorter than {LEASE_MIN:?} ends before its heartbeat; set a longer one"
            )));
        }
        if self.settings.worker_id.is_empty() {
            self.settings.worker_id = liveness::worker_id();
        }
        facts::text("worker id", &self.settings.worker_id)
    }
}

fn guests(own: Option<Vec<u8>>) -> Result<Guests, EngineError> {
    let setup = |error: &dyn std::error::Error| EngineError::Setup(error.to_string());
    let sandbox = Sandbox::new(CallLimits::default()).map_err(|error| setup(&error))?;
    let mut library = Library::new(sandbox);
    let own = match own {
        Some(bytes) => library.add(bytes).map_err(|error| setup(&error))?,
        None => library.built_in().to_owned(),
    };
    library.check(&own).map_err(|error| setup(&error))?;
    Ok(Guests::new(library, own))
}
