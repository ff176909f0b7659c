//! The place of an engine's store.

use crate::store::Store;

/// The place of the store, which is lent to the ports for the length of a call
/// into a guest.
pub(crate) struct StoreSlot(Option<Box<dyn Store>>);

impl StoreSlot {
    pub(crate) fn new(store: Box<dyn Store>) -> Self {
        Self(Some(store))
    }

    /// The store.
    pub(crate) fn get(&mut self) -> &mut dyn Store {
        self.0.as_deref_mut().expect(
            "the store is lent only during a call into a guest, and comes back with its answer",
        )
    }

    /// Lends the store to a call.
    pub(in crate::live) fn lend(&mut self) -> Box<dyn Store> {
        self.0
            .take()
            .expect("calls into guests do not nest, so the store is here")
    }

    /// Whether the store is here: after a panic within a call it is not.
    pub(crate) fn is_here(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the store back after a call.
    pub(in crate::live) fn give_back(&mut self, store: Box<dyn Store>) {
        self.0 = Some(store);
    }
}
