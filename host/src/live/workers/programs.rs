//! How many programs of an engine there are, so that it comes to its end after
//! the last of them.

use std::sync::Arc;

use tokio::sync::watch;

/// The number of an engine's programs that have not ended.
pub(crate) struct Programs(watch::Sender<usize>);

/// One program, counted until this is dropped.
pub(super) struct Counted(Arc<Programs>);

impl Programs {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(0)))
    }

    /// One more.
    pub(super) fn enter(self: &Arc<Self>) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(Arc::clone(self))
    }

    /// Comes to an end when there are none. Each that is stopped has a bound
    /// on the time it may take.
    pub(crate) async fn ended(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
