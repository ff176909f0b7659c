//! Law 3: what the store says of an execution without reading its log is what
//! its log comes to.

use super::{Evidence, Law, Violation};
use refrain::names;

/// Status and next wake are the fold of the log. When time alone changes
/// something is read as rules R14 and R19 have it; a guest with rules of its
/// own is asked itself, by [`law3_atomic`](super::law3_atomic).
///
/// # Errors
/// The first execution of which they are not.
pub fn status_is_what_the_log_says(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let (record, fold) = (&account.record, &account.fold);
        let differs = |message| Err(Violation::of(Law::Status, record.id, message));
        if record.status != fold.status {
            return differs(format!(
                "its record says that it is {}, and its log {}",
                names::status(record.status),
                names::status(fold.status)
            ));
        }
        // That is due at once; law 3 says whether rightly. So it does where a child came to
        // nothing: after which time another may follow does not stand in the log.
        let is_open = fold.nodes.values().any(|node| node.lost_child);
        if record.next_wake != fold.next_wake && !record.is_owed_a_step() && !is_open {
            return differs(format!(
                "its record wakes it at {:?}, and its log at {:?}",
                record.next_wake, fold.next_wake
            ));
        }
    }
    Ok(())
}
