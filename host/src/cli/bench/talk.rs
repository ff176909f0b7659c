//! Tells a person at a terminal how far it is.

use std::io::IsTerminal;

use super::super::output;

/// What is being measured, in place of what was said before.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    terminal: bool,
    about: &'static str,
}

impl Talk {
    /// For a terminal; elsewhere nothing is said.
    pub(super) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            about: "",
        }
    }

    /// The same, of this measure.
    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// How far the measure is.
    pub(super) fn say(self, text: &str) {
        if self.terminal {
            output::hint(&format!("{}: {text}", self.about));
        }
    }

    /// Which of how many rounds it is.
    pub(super) fn round(self, round: u64, of: u64) {
        self.say(&format!("round {round} of {of}"));
    }

    /// There is nothing more to say.
    pub(super) fn end(self) {
        if self.terminal {
            output::hint("");
        }
    }
}
