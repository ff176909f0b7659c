//! A fork, from what a caller asks for to the turn that writes it.

use super::shared::Shared;
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::live::fork::plan;
use crate::live::turn::fork::fork as begin_fork;
use crate::live::values::fork::Fork;

/// Makes a fork. Answers its id, and the last event that it has in common with its origin.
pub(super) async fn make_fork(
    shared: &Shared,
    fork: Fork,
) -> Result<(ExecutionId, u64), EngineError> {
    fork.check()?;
    let origin = fork.origin;
    let (library, id, salts, simulated) = shared
        .inbox
        .question(move |core| {
            let id = core.random.id_beside(origin);
            let (library, salts) = (core.guests.library(), core.random.salts());
            Ok((library, id, salts, core.settings.simulated))
        })
        .await?;
    let asked = fork.clone();
    let source = shared
        .read(move |store| plan::read(store, library, &asked))
        .await?;
    // A log of many events takes long, which is what the readers' threads are for. The
    // store is not needed, and its moment is over.
    let plan = shared
        .read(move |_| plan::plan(source, &fork, id, salts, simulated))
        .await?;
    let common = plan.common();
    let id = shared
        .inbox
        .write(move |turn| begin_fork(turn, &plan))
        .await?;
    Ok((id, common))
}
