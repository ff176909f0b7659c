//! An engine without a thread: its owner steps it by hand.
//!
//! For loops of one's own, where a thread more is one too many, and for tests
//! and simulations, where nothing may happen by itself. What a step does is
//! what the engine's thread does between two waits; only the waiting is the
//! caller's.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::id::ExecutionId;

use crate::live::runtime::event_loop::EventLoop;
use crate::live::runtime::schedule::Next;
use crate::live::workers::WakeFlag;

/// The steps of an engine from [`Builder::stepped`](crate::live::Builder::stepped).
///
/// ```
/// use refrain::store::MemoryStore;
/// use refrain::{Engine, Next, WorkItem, Workflow};
/// use serde_json::json;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # macro_rules! include_str { ("claims.json") => { core::include_str!("../../../examples/claims.json") } }
/// let store = MemoryStore::new();
/// let (engine, mut steps) = Engine::builder().store(store).seed(17).stepped()?;
/// engine.work("tool", |item: WorkItem| async move { Ok(json!({ "score": 7 })) });
///
/// let workflow = Workflow::from_json(include_str!("claims.json"))?;
/// steps.until(engine.register(workflow)).expect("steps suffice")?;
/// let started = steps.until(engine.start("claims", "1.0.0", json!({ "claim": 17 })));
/// let execution = started.expect("steps suffice")?;
///
/// while steps.step() == Next::Now {}
/// let finished = steps.until(execution.finished()).expect("it has ended")?;
/// assert_eq!(finished.final_state.as_str(), r#"{"score":7}"#);
/// # Ok(())
/// # }
/// ```
///
/// Dropped, the engine is gone as if its process had been killed: callers hear
/// that it has been shut down, and claims end with their leases. To end it in
/// peace, poll [`Engine::shutdown`](crate::live::Engine::shutdown) and step until
/// [`Next::Ended`].
pub struct Steps {
    /// None: it has come to its end.
    event_loop: Option<EventLoop>,
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps")
            .field("has_ended", &self.event_loop.is_none())
            .finish_non_exhaustive()
    }
}

impl Steps {
    pub(crate) fn new(event_loop: EventLoop) -> Self {
        Self {
            event_loop: Some(event_loop),
        }
    }

    /// Do what is to be done now: take what was asked, let own workers go on,
    /// notice others' commits; one turn, if one is due; then answer. It never
    /// waits, but for the store. A panic of the store or the clock ends the engine,
    /// and goes on to the caller.
    pub fn step(&mut self) -> Next {
        let Some(event_loop) = &mut self.event_loop else {
            return Next::Ended;
        };
        let next = catch_unwind(AssertUnwindSafe(|| {
            event_loop.iterate();
            (!event_loop.is_closed()).then(|| event_loop.next())
        }));
        if let Ok(Some(next)) = next {
            return next;
        }
        let event_loop = self.event_loop.take();
        match (next, event_loop) {
            (Ok(_), event_loop) => event_loop.into_iter().for_each(EventLoop::end),
            (Err(panic), event_loop) => {
                let crash = |event_loop: EventLoop| event_loop.crash("it was stepped into a panic");
                event_loop.into_iter().for_each(crash);
                resume_unwind(panic);
            }
        }
        Next::Ended
    }

    /// The queues on which one of this engine's own workers is free, each once,
    /// sorted. After a step that leaves nothing more to do now, no work item
    /// that may be claimed waits on any of them.
    #[must_use]
    pub fn free_queues(&self) -> Vec<String> {
        let event_loop = self.event_loop.as_ref();
        let mut queues = event_loop.map_or_else(Vec::new, EventLoop::free_queues);
        queues.sort_unstable();
        queues.dedup();
        queues
    }

    /// The executions that this engine works on, those that have ended aside;
    /// none: all of its store.
    #[must_use]
    pub fn works_on(&self) -> Option<BTreeSet<ExecutionId>> {
        self.event_loop.as_ref().and_then(EventLoop::works_on)
    }

    /// How many calls of scheduler components about executions this engine has made in
    /// its turns: most of what it does in its own time.
    #[must_use]
    pub fn guest_calls(&self) -> u64 {
        self.event_loop.as_ref().map_or(0, EventLoop::guest_calls)
    }

    /// Step until this is ready, usually a call on the engine. None: it is not,
    /// and there is nothing more to do now; time has to pass, or someone has to act.
    pub fn until<F: Future>(&mut self, call: F) -> Option<F::Output> {
        let wake_flag = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&wake_flag));
        let mut context = Context::from_waker(&waker);
        let mut call = pin!(call);
        let mut next = Next::Now;
        loop {
            if let Poll::Ready(answer) = call.as_mut().poll(&mut context) {
                return Some(answer);
            }
            // Polled, it may have asked for more: one step is always due.
            if next == Next::Ended {
                return None;
            }
            next = self.step();
            if !wake_flag.take() && next != Next::Now {
                return None;
            }
        }
    }
}
