//! What callers and workers ask of an engine, to be done within a turn.

use crate::error::EngineError;

use super::open_turn::OpenTurn;

/// Something to be done within a turn. It is applied again until a turn that holds
/// it is written.
pub(crate) trait Write: Send {
    /// Applies it. A mistake of the caller is kept as the caller's answer; an error
    /// is the store's, and the turn cannot be written: it may be applied by half.
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError>;
    /// Answers the caller: with the result, or with the reason why the turn was not
    /// written. `Some` if it is to be applied in another turn instead.
    fn answer(self: Box<Self>, failed: Option<&EngineError>) -> Option<Again>;
}

/// A write that is to be applied in another turn.
pub(crate) enum Again {
    /// In the next one, which is due at once.
    AtOnce(Box<dyn Write>),
    /// When the store has been left alone for a while.
    Later(Box<dyn Write>),
}
