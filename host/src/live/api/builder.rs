//! How an engine is put together and started.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::error::EngineError;
use crate::guest::{CallLimits, Library};
use crate::id::ExecutionId;
use crate::limits::TurnLimits;
use crate::model::Limits;
use crate::secrets::Secrets;
use crate::store::Store;

use super::engine::Engine;
use super::parts::{Drive, Parts};
use super::shared::Shared;
use super::steps::Steps;
use crate::live::runtime::inbox::Inbox;
use crate::live::runtime::observers::Observers;
use crate::live::turn::scope::Scope;
use crate::live::values::panics::caught;

/// Settles what an engine is to be like, and starts it.
#[derive(Default)]
pub struct Builder {
    parts: Parts,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
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
    pub fn boxed_store(mut self, store: Box<dyn Store>) -> Self {
        self.parts.store = Some(store);
        self
    }

    /// How much of each execution that starts here may be under way (rule R4);
    /// 16 nodes at once and 8 work items a step unless set.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.parts.settings.limits = limits;
        self
    }

    /// How long a claim holds without a heartbeat; 10 seconds unless set. This
    /// is how long work rests when its worker died.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.parts.settings.lease = lease;
        self
    }

    /// How often to look for what nobody told of; 500 milliseconds unless set.
    /// It only matters where no file watcher works.
    #[must_use]
    pub fn fallback_poll(mut self, interval: Duration) -> Self {
        self.parts.settings.fallback_poll = interval;
        self
    }

    /// How many events there are between two snapshots of an execution; 1,000
    /// unless set, and more in a long log, up to a quarter of it. A snapshot
    /// spares reading the log's beginning anew, after a restart, and is
    /// otherwise of no effect.
    #[must_use]
    pub fn events_per_snapshot(mut self, events: NonZeroU64) -> Self {
        self.parts.settings.events_per_snapshot = events;
        self
    }

    /// How much goes into one turn; unless set, enough for one sync to serve
    /// many. What does not fit goes into the next, which follows at once, and
    /// everyone has a turn before anyone has a second one. Small numbers are for
    /// tests and simulations, in which few have to be in each other's way.
    #[must_use]
    pub fn turn_limits(mut self, limits: TurnLimits) -> Self {
        self.parts.settings.turn_limits = limits;
        self
    }

    /// How many callers may wait for the engine at once; 10,000 unless set. One more
    /// is told [`EngineError::Overloaded`]. Own workers are never refused, nor do
    /// those count that wait for an end or for news of an execution.
    #[must_use]
    pub fn callers_max(mut self, callers: NonZeroUsize) -> Self {
        self.parts.callers_max.callers = callers.get();
        self
    }

    /// How many bytes of workflows, inputs, answers and events these callers may bring
    /// together; 256 MiB unless set. One that brings more is told
    /// [`EngineError::Overloaded`], unless nobody else brings anything.
    #[must_use]
    pub fn callers_bytes_max(mut self, bytes: NonZeroUsize) -> Self {
        self.parts.callers_max.bytes = bytes.get();
        self
    }

    /// The scheduler component of executions that start here; the built-in one
    /// unless set. Executions that are there already stay with theirs (law 10).
    #[must_use]
    pub fn guest(mut self, component: Vec<u8>) -> Self {
        self.parts.guest = Some(component);
        self
    }

    /// The scheduler components at hand, and the sandbox that they run in: for
    /// many engines in one process, because clones of a library share what has
    /// been compiled. A library of its own unless set.
    #[must_use]
    pub fn library(mut self, library: Library) -> Self {
        self.parts.library = Some(library);
        self
    }

    /// What each call into a scheduler component may take. A call that would
    /// take more is cut off, which stalls its execution (law 9).
    #[must_use]
    pub fn call_limits(mut self, limits: CallLimits) -> Self {
        self.parts.call_limits = Some(limits);
        self
    }

    /// The clock; the machine's unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.parts.clock = Arc::new(clock);
        self
    }

    /// The name of this engine's workers in the log. No two engines should
    /// share one. Unless set, it names host, process and boot, so that the
    /// claims of a process that was killed need not wait for their leases' end
    /// where another engine of the same machine can see that it is gone.
    #[must_use]
    pub fn worker_id(mut self, worker_id: impl Into<String>) -> Self {
        self.parts.settings.worker_id = worker_id.into();
        self
    }

    /// The tenant that this engine is for; `default` unless set. Workflows are
    /// registered, executions started and work claimed for this one. Each tenant has
    /// workflows, queues and keys of its own. Whatever belongs to another goes on here
    /// too, but for its work.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.parts.settings.tenant = tenant.into();
        self
    }

    /// Where the values of secrets come from that workflows name (rule R29); of several,
    /// the first that has one says it. Own workers are given them in the texts of their
    /// items, and nothing that they say is stored before the values are out of it. Unless
    /// set, there are none.
    #[must_use]
    pub fn secrets(mut self, secrets: impl Secrets) -> Self {
        self.parts.secrets.push(Box::new(secrets));
        self
    }

    /// Work on simulated executions, and on no others: each work item is
    /// answered with `{}` after its node's label `simulate_ms`, on a clock that
    /// jumps to whatever is due next. Workers that are registered get nothing.
    #[must_use]
    pub fn simulated(mut self, simulated: bool) -> Self {
        self.parts.settings.simulated = simulated;
        self
    }

    /// Work on these executions and their children, and on those that are started here
    /// (also by a key that had started one before); on all unless set. Of the others in
    /// the store, none is woken, claimed, or taken from its worker; what is
    /// asked of them is done as ever. [`Engine::claim`] gives out work of these
    /// only.
    #[must_use]
    pub fn only(mut self, executions: impl IntoIterator<Item = ExecutionId>) -> Self {
        self.parts.scope = Scope::Only(executions.into_iter().collect());
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
    pub fn seed(mut self, seed: u64) -> Self {
        self.parts.seed = Some(seed);
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
        let (inbox, receiver) = Inbox::new(self.parts.callers_max);
        let (observers, committed) = Observers::new();
        let (ready, started) = oneshot::channel();
        let tenant = self.parts.settings.tenant.clone();
        let (runtime, inner_inbox) = (Handle::current(), inbox.clone());
        let inner_observers = Arc::clone(&observers);
        let spawned = thread::Builder::new()
            .name("refrain-engine".to_owned())
            .spawn(move || {
                let drive = Drive::Thread(runtime);
                // The store and the clock are others' code, and may panic.
                let event_loop = caught(|| {
                    self.parts
                        .assemble(drive, &inner_inbox, receiver, inner_observers)
                })
                .unwrap_or_else(|said| Err(EngineError::Died(format!("it panicked: {said}"))));
                match event_loop {
                    Ok(event_loop) => {
                        let parts = (
                            event_loop.guest_digest(),
                            event_loop.readers(),
                            event_loop.questions(),
                        );
                        if ready.send(Ok(parts)).is_ok() {
                            event_loop.run();
                        }
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        spawned
            .map_err(|error| EngineError::Setup(format!("no thread can be started: {error}")))?;
        let (guest_digest, readers, questions) =
            started.await.unwrap_or(Err(EngineError::ShutDown))?;
        Ok(Engine::new(Shared::new(
            inbox,
            observers,
            committed,
            readers,
            questions,
            guest_digest,
            tenant,
        )))
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
        let (inbox, receiver) = Inbox::new(self.parts.callers_max);
        let (observers, committed) = Observers::new();
        self.parts.settings.reopen_pause = Duration::ZERO;
        let tenant = self.parts.settings.tenant.clone();
        let event_loop =
            self.parts
                .assemble(Drive::Steps, &inbox, receiver, Arc::clone(&observers))?;
        let engine = Engine::new(Shared::new(
            inbox,
            observers,
            committed,
            event_loop.readers(),
            event_loop.questions(),
            event_loop.guest_digest(),
            tenant,
        ));
        Ok((engine, Steps::new(event_loop)))
    }
}
