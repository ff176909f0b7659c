//! Where attempts run: as tasks of a Tokio runtime, or within the steps of an
//! engine that is stepped by hand.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::limits::ANSWER_RETRY_PAUSE;

/// Where attempts run. A clone is the same place.
#[derive(Clone)]
pub(crate) enum Tasks {
    /// Each is a task of this runtime.
    Runtime(Handle),
    /// Each goes on within the engine's steps.
    Steps(Arc<Stir>),
}

/// An attempt that runs.
pub(crate) enum Task {
    Spawned(AbortHandle),
    Stepped(Pin<Box<dyn Future<Output = ()> + Send>>),
    Done,
}

/// Whether what is polled within steps can go on.
#[derive(Default)]
pub(crate) struct Stir(AtomicBool);

impl Stir {
    /// Whether it can, since this was last asked.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Stir {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Tasks {
    /// Within an engine's steps.
    pub(crate) fn stepped() -> Self {
        Self::Steps(Arc::default())
    }

    /// An attempt begins.
    pub(crate) fn begin(&self, attempt: impl Future<Output = ()> + Send + 'static) -> Task {
        match self {
            Self::Runtime(runtime) => Task::Spawned(runtime.spawn(attempt).abort_handle()),
            Self::Steps(stir) => {
                Arc::clone(stir).wake();
                Task::Stepped(Box::pin(attempt))
            }
        }
    }

    /// Let attempts that run within steps go on, where any can.
    pub(crate) fn go_on<'a>(&self, tasks: impl Iterator<Item = &'a mut Task>) {
        let Self::Steps(stir) = self else {
            return;
        };
        if !stir.take() {
            return;
        }
        let waker = Waker::from(Arc::clone(stir));
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
    pub(crate) fn stirred(&self) -> bool {
        match self {
            Self::Runtime(_) => false,
            Self::Steps(stir) => stir.0.load(Ordering::SeqCst),
        }
    }

    /// Leave a store alone that has failed: for a while, or until the next step.
    pub(crate) async fn rest(&self) {
        match self {
            Self::Runtime(_) => tokio::time::sleep(ANSWER_RETRY_PAUSE).await,
            Self::Steps(_) => {
                let mut rested = false;
                poll_fn(|context| {
                    if std::mem::replace(&mut rested, true) {
                        return Poll::Ready(());
                    }
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
            }
        }
    }
}

impl Task {
    /// It is stopped where it is.
    pub(crate) fn stop(self) {
        match self {
            Self::Spawned(task) => task.abort(),
            Self::Stepped(_) | Self::Done => {}
        }
    }
}
