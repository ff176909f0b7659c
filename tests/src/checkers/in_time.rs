//! Law 5: time never goes back, and a turn has one.

use refrain::model::{Event, EventKind, Origin};
use refrain::store::Timestamp;

use super::{Account, Evidence, Law, TurnSeen, Violation};

/// `at` never decreases along a log, the record's times are those of its first
/// and last event, and all events of one turn share one time. Only who is owed a
/// step decides at the time of its last event, before the turn's.
///
/// # Errors
/// The first event that is stamped otherwise.
pub fn law5_in_time(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        forward(account)?;
    }
    for turn in evidence.told.turns() {
        one_reading(evidence, turn)?;
    }
    Ok(())
}

fn forward(account: &Account) -> Result<(), Violation> {
    let record = &account.record;
    let mut last_at = record.started_at;
    for event in account.log() {
        if event.at < last_at {
            let message = format!(
                "it is stamped {} ms before the event before it",
                last_at - event.at
            );
            return Err(Violation::at(
                Law::InTime,
                record.id,
                event.sequence,
                message,
            ));
        }
        last_at = event.at;
    }
    if record.last_at != last_at {
        let message = format!(
            "its record says that its last event was at {}, and that was at {last_at}",
            record.last_at
        );
        return Err(Violation::of(Law::InTime, record.id, message));
    }
    Ok(())
}

/// A decision, or the host's word that the guest came to none.
fn is_of_the_guest(event: &Event) -> bool {
    event.origin == Origin::Decision || matches!(event.kind, EventKind::HostStalled(_))
}

/// All that a turn appends is stamped with its one reading.
fn one_reading(evidence: &Evidence<'_>, turn: &TurnSeen) -> Result<(), Violation> {
    let mut of_the_turn: Option<Timestamp> = None;
    for (id, (first, last)) in &turn.events {
        let Some(account) = evidence.account(*id) else {
            continue; // That is for law 8 to say.
        };
        let before = account.log().find(|event| event.sequence + 1 == *first);
        let owed_at = before.map(|event| event.at);
        let of_turn = account
            .log()
            .filter(|event| (*first..=*last).contains(&event.sequence))
            .filter(|event| event.sequence > account.common())
            .skip_while(|event| is_of_the_guest(event) && Some(event.at) == owed_at);
        for event in of_turn {
            let reading = *of_the_turn.get_or_insert(event.at);
            if event.at != reading {
                let message = format!(
                    "it is stamped {}, and its turn's clock reading was {reading}",
                    event.at
                );
                return Err(Violation::at(Law::InTime, *id, event.sequence, message));
            }
        }
    }
    Ok(())
}
