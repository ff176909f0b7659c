//! Where attempts run: as tasks of a Tokio runtime, or within the steps of an
//! engine that is stepped by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Where attempts run. A clone is the same place.
#[derive(Clone)]
pub(crate) enum Tasks {
    /// Each is a task of this runtime.
    Runtime(Handle),
    /// Each goes on within the engine's steps.
    Steps(Arc<WakeFlag>),
}

/// An attempt that runs.
pub(crate) enum Task {
    Spawned(oneshot::Sender<()>),
    Stepped(Pin<Box<dyn Future<Output = ()> + Send>>),
    Done,
}

/// An attempt that is yet to be spawned.
pub(crate) struct Prepared<F> {
    attempt: F,
    stopped: oneshot::Receiver<()>,
}

impl<F: Future<Output = ()>> Prepared<F> {
    /// The attempt, until it is stopped; it is not if nobody can stop it any more.
    async fn run(self) {
        tokio::select! {
            biased;
            Ok(()) = self.stopped => {}
            () = self.attempt => {}
        }
    }
}

/// Whether what is polled within steps can go on.
#[derive(Default)]
pub(crate) struct WakeFlag(AtomicBool);

impl WakeFlag {
    /// Whether it can, since this was last asked.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Tasks {
    /// Within an engine's steps.
    pub(crate) fn stepped() -> Self {
        Self::Steps(Arc::default())
    }

    /// An attempt, and what is to be [begun](Self::begin) of it together with
    /// others.
    pub(crate) fn prepare<F>(&self, attempt: F) -> (Task, Option<Prepared<F>>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        match self {
            Self::Runtime(_) => {
                let (stop, stopped) = oneshot::channel();
                (Task::Spawned(stop), Some(Prepared { attempt, stopped }))
            }
            Self::Steps(wake_flag) => {
                Arc::clone(wake_flag).wake();
                (Task::Stepped(Box::pin(attempt)), None)
            }
        }
    }

    /// Attempts begin. All of a turn are handed to the runtime at once: one
    /// after another, each would wake a thread of it.
    pub(crate) fn begin<F>(&self, attempts: Vec<Prepared<F>>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self::Runtime(runtime) = self else {
            return;
        };
        if attempts.len() > 1 {
            runtime.spawn(async move {
                for attempt in attempts {
                    tokio::spawn(attempt.run());
                }
            });
        } else {
            for attempt in attempts {
                runtime.spawn(attempt.run());
            }
        }
    }

    /// Let attempts that run within steps go on, where any can.
    pub(crate) fn go_on<'a>(&self, tasks: impl Iterator<Item = &'a mut Task>) {
        let Self::Steps(wake_flag) = self else {
            return;
        };
        if !wake_flag.take() {
            return;
        }
        let waker = Waker::from(Arc::clone(wake_flag));
        let mut context = Context::from_waker(&waker);
        for task in tasks {
            if let Task::Stepped(attempt) = task
                && attempt.as_mut().poll(&mut context).is_ready()
            {
                *task = Task::Done;
            }
        }
    }

    /// Whether an attempt could go on within a step.
    pub(crate) fn is_woken(&self) -> bool {
        match self {
            Self::Runtime(_) => false,
            Self::Steps(wake_flag) => wake_flag.0.load(Ordering::SeqCst),
        }
    }
}

impl Task {
    /// It is stopped where it is.
    pub(crate) fn stop(self) {
        match self {
            Self::Spawned(stop) => {
                // An attempt that has ended meanwhile hears nothing.
                stop.send(()).ok();
            }
            Self::Stepped(_) | Self::Done => {}
        }
    }
}
