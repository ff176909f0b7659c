//! What programs say is kept next to the log.

use std::sync::Arc;

use crate::error::EngineError;
use crate::store::{OutputChange, OutputPiece};

use super::open_turn::OpenTurn;
use crate::live::values::work::ClaimId;

/// Keeps what the program of this claim has said, also where the claim holds no longer: it
/// was said in that attempt. Fails if the execution is erased.
pub(in crate::live) fn keep_output(
    turn: &mut OpenTurn<'_>,
    claim: &ClaimId,
    pieces: &Arc<[OutputPiece]>,
) -> Result<(), EngineError> {
    if pieces.is_empty() {
        return Ok(());
    }
    let transaction = &mut turn.transaction;
    transaction.open(claim.execution)?;
    let outputs = &mut transaction.besides.outputs;
    // What has to be applied twice in a turn is kept once.
    if !outputs.iter().any(|kept| Arc::ptr_eq(&kept.pieces, pieces)) {
        let bytes = pieces.iter().map(|piece| piece.bytes.len()).sum();
        transaction.budget.took(bytes);
        outputs.push(OutputChange {
            execution: claim.execution,
            node_id: claim.node_id.clone(),
            attempt: claim.attempt,
            pieces: Arc::clone(pieces),
        });
    }
    Ok(())
}
