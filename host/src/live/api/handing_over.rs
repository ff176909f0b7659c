//! An execution is handed to another guest, from what a caller asks for to the turn that
//! writes it.

use super::shared::Shared;
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::TEXT_BYTES_MAX;
use crate::live::turn::upgrade::{Upgrade, upgrade};
use crate::live::values::facts;
use crate::live::values::work::Receipt;
use crate::shorten::shortened;
use crate::store::Head;

/// Hands an execution to the guest of this digest; if a head is named, only if its log ends
/// with that.
pub(super) async fn hand_over(
    shared: &Shared,
    id: ExecutionId,
    by: Option<&str>,
    (guest, head): (&str, Option<Head>),
) -> Result<Receipt, EngineError> {
    facts::actor(by)?;
    let unknown = |_| EngineError::UnknownGuest {
        digest: shortened(guest, TEXT_BYTES_MAX).into_owned(),
    };
    let change = Upgrade {
        guest: guest.parse().map_err(unknown)?,
        by: by.map(str::to_owned),
        head,
    };
    shared
        .inbox
        .write(move |turn| upgrade(turn, id, &change))
        .await
}
