//! How a database file is opened, and how safe what is written to it is.

use std::time::Duration;

/// How safe a turn is when `commit` has returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// It survives a power cut. One sync a turn.
    #[default]
    Full,
    /// It survives a crash of the process; a power cut may lose the last
    /// turns, though never a part of one.
    Normal,
}

impl Durability {
    /// Its name, which is that of SQLite's `synchronous` too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Normal => "normal",
        }
    }
}

/// How the file is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) access: Access,
    pub(super) durability: Durability,
    /// How long to wait for another process's lock.
    pub(super) lock_wait: Duration,
    /// Whether a new file is one of simulated executions.
    pub(super) simulated: bool,
}

/// What the file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}
