//! Law 3: what the store says of an execution without reading its log is what
//! its log comes to.

use super::{Evidence, Law, Violation};

/// Status and next wake are the fold of the log.
///
/// # Errors
/// The first execution of which they are not.
pub fn status_is_what_the_log_says(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let (record, fold) = (&account.record, &account.fold);
        let differs = |message| Err(Violation::of(Law::Status, record.id, message));
        if record.status != fold.status {
            return differs(format!(
                "its record says that it is {:?}, and its log {:?}",
                record.status, fold.status
            ));
        }
        if record.next_wake != fold.next_wake {
            return differs(format!(
                "its record wakes it at {:?}, and its log at {:?}",
                record.next_wake, fold.next_wake
            ));
        }
    }
    Ok(())
}
