//! The store keeps every component that a log names (law 10).

use crate::error::EngineError;
use crate::store::ComponentRecord;

use super::transaction::Transaction;

/// The component of a guest that a log is about to name, to be written with this turn.
/// `None` if the store has it, or will have it with the turn.
///
/// # Errors
/// [`EngineError::UnknownGuest`] if nobody has its bytes.
pub(in crate::live) fn component_to_keep(
    transaction: &mut Transaction<'_>,
    digest: &str,
) -> Result<Option<ComponentRecord>, EngineError> {
    let core = &mut *transaction.core;
    let mut staged = transaction.besides.components.iter();
    let known = core.kept_guests.iter().any(|kept| kept == digest)
        || staged.any(|kept| kept.digest == digest);
    if known || core.store.get().component(digest)?.is_some() {
        return Ok(None);
    }
    let digest = digest.to_owned();
    match core.guests.bytes(&digest).map(<[u8]>::to_vec) {
        Some(bytes) => Ok(Some(ComponentRecord { digest, bytes })),
        None => Err(EngineError::UnknownGuest { digest }),
    }
}
