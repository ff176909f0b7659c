//! Where a store that is put to the laws keeps its data.

use crate::id::ExecutionId;
use crate::store::Store;

/// Where a store keeps its data. It is empty at first. What is opened twice is
/// two owners of the same data.
pub trait Place {
    /// Another owner of the place's data.
    fn open(&self) -> Box<dyn Store>;

    /// Damage what is stored of an execution, as somebody else could who has the
    /// data in hand: the row can no longer be read, and keeps its place. Says
    /// whether that can be done; there is no default, so that no store escapes
    /// the law by silence.
    fn damage(&self, row: Row, of: ExecutionId) -> Damage;

    /// Whether to reopen a store after every commit.
    fn reopens(&self) -> bool {
        false
    }
}

/// A row that is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The execution's record.
    Record,
    /// All its work items.
    Items,
}

/// What became of damaging a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is damaged.
    Done,
    /// Nobody else can reach what is stored.
    OutOfReach,
}
