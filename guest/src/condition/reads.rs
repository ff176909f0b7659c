//! How much evaluations may still read.

use core::cell::Cell;

use crate::limits::READ_BYTES_MAX;

/// How much more those evaluations may read that belong together: of all the edges of a
/// node, of all the texts of a payload. What would go over is null, and so is all that
/// comes after it; no condition is true then.
#[derive(Debug)]
pub struct Reads {
    left: Cell<usize>,
    is_over: Cell<bool>,
    /// Since that was last asked for.
    total: Cell<usize>,
}

impl Default for Reads {
    fn default() -> Self {
        Self {
            left: Cell::new(READ_BYTES_MAX),
            is_over: Cell::new(false),
            total: Cell::new(0),
        }
    }
}

impl Reads {
    /// Other evaluations begin, which belong together.
    pub fn begin(&self) -> &Self {
        self.left.set(READ_BYTES_MAX);
        self.is_over.set(false);
        self
    }

    /// How much was read since this was last asked for.
    pub fn take_total(&self) -> usize {
        self.total.take()
    }

    /// Whether something would have gone over.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Takes so many bytes of what may be read; false if there are not so many left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        self.total.set(self.total.get().saturating_add(bytes));
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or(0));
        if left.is_none() {
            self.is_over.set(true);
        }
        !self.is_over.get()
    }
}
