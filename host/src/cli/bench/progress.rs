//! Tells a person at a terminal how far it is.

use std::sync::{LazyLock, Mutex, PoisonError};

use super::super::terminal::StatusLine;
use super::super::text::text;

/// A terminal has one line for it, shared by all measurements.
static LINE: LazyLock<Mutex<StatusLine>> = LazyLock::new(|| Mutex::new(StatusLine::new()));

/// What is being measured, in place of what was said before.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    about: &'static str,
}

impl Progress {
    /// For a terminal; elsewhere nothing is said.
    pub(super) fn new() -> Self {
        Self { about: "" }
    }

    /// The same, of this measure.
    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about }
    }

    /// How far the measure is.
    pub(super) fn say(self, text: &str) {
        let line = text!("{}: {}", self.about, text);
        with_line(|it| it.show(line));
    }

    /// Which of how many rounds it is.
    pub(super) fn round(self, round: u64, of: u64) {
        self.say(&format!("round {round} of {of}"));
    }

    /// There is nothing more to say.
    pub(super) fn end(self) {
        with_line(StatusLine::clear);
    }
}

fn with_line(change: impl FnOnce(&mut StatusLine)) {
    // It is whole even where someone panicked.
    change(&mut LINE.lock().unwrap_or_else(PoisonError::into_inner));
}
