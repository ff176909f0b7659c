//! What is said to an engine, and gets into a turn.

use crate::error::EngineError;

use super::open_turn::OpenTurn;

/// Something to be done within a turn. It may be done several times, until a
/// turn that holds it is written.
pub(crate) trait Write: Send {
    /// Do it. What the caller did wrong is the caller's answer; an error is the
    /// store's, and the turn cannot be written: what it holds may be half done.
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError>;
    /// Tell the caller: what came of it, or why the turn was not written. Some:
    /// it is to be done in another turn.
    fn answer(self: Box<Self>, failed: Option<&EngineError>) -> Option<Again>;
}

/// What is to be done in another turn.
pub(crate) enum Again {
    /// In the next one, which is due at once.
    AtOnce(Box<dyn Write>),
    /// When the store has been left alone for a while.
    Later(Box<dyn Write>),
}
