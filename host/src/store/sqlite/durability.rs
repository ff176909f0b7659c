//! How a database file is opened, and how safe what is written to it is.

/// How safe a turn is when `commit` has returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It survives a power cut. One sync a turn.
    #[default]
    Full,
    /// It survives a crash of the process; a power cut may lose the last
    /// turns, though never a part of one.
    Normal,
}

/// What the file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}
