//! The write side of a store. Its contract stands in the documentation of the parent
//! module.

use std::path::PathBuf;

use crate::store::{CommitError, Reader, StoreError, Turn};

// A store must be `Send`. In this crate's own tests it must also be put to the laws.
#[cfg(test)]
use crate::store::laws::Proven;
#[cfg(not(test))]
use Send as Proven;

/// Durable storage for logs, the queue, and all that they name: the owner of the
/// write side, who is a [`Reader`] too. The module's documentation has the contract.
///
/// # Errors
/// [`CommitError`] says of a commit whether nothing was written or whether that is not
/// known. All else fails with [`StoreError`], and has changed nothing then;
/// [`StoreError::Contradiction`] is a mistake of the caller.
pub trait Store: Reader + Proven {
    /// Takes the write lock, for one turn. Waits a bounded time for another
    /// owner. A second turn of one owner at the same time is a contradiction.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Writes the turn, makes it durable, and gives up the lock, which is given up on
    /// any error, too. It is a contradiction where no turn was begun.
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError>;

    /// Gives up the lock. Nothing was written.
    fn rollback(&mut self);

    /// Removes from the storage what deleted and erased rows have left there, outside
    /// of a turn. It may cost as much as all that is stored. Called once more, it does
    /// the same again: a process may have died between an erasure and this.
    fn purge(&mut self) -> Result<(), StoreError>;

    /// Drops the connection and makes a new one, after an unknown outcome.
    fn reopen(&mut self) -> Result<(), StoreError>;

    /// A number that changes whenever another owner has committed. While it stays
    /// the same, an engine relies on what it knows of the store, and does not ask for
    /// what it has written itself. It is asked for once a turn and more often.
    fn version(&mut self) -> Result<u64, StoreError>;

    /// The file that changes when another owner commits, if there is one.
    fn watched_file(&self) -> Option<PathBuf>;
}
