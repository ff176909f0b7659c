//! Law 1: sequences are 1, 2, 3 …

use super::{Evidence, Law, Violation};

/// Every log is numbered without gaps, from 1 to its recorded head.
///
/// # Errors
/// The first gap, or doubled number.
pub fn law1_gapless(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let broken = |sequence, message| {
            Err(Violation::at(
                Law::Gapless,
                account.record.id,
                sequence,
                message,
            ))
        };
        for (raw, due) in account.raw.iter().zip(1..) {
            if raw.sequence != due {
                let message = format!("where event {due} should be stands event {}", raw.sequence);
                return broken(due, message);
            }
        }
        let (last, head) = (account.raw.len() as u64, account.record.head.sequence);
        if last != head {
            return broken(
                head,
                format!("the recorded head is event {head}, and the log has {last}"),
            );
        }
    }
    Ok(())
}
