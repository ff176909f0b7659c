//! Whether an engine is to come to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the engine was told to come to its end and has not heard it yet: a
/// turn that is being filled is written with what it has, so that it hears.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClosingFlag(Arc<AtomicBool>);

impl ClosingFlag {
    /// The engine is to come to its end.
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody waits.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// It was heard.
    pub(crate) fn heard(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
