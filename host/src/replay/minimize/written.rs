//! A case as a log: chained, and with what it ends with.

use std::sync::Arc;

use super::case::{Case, Tail};
use super::play::Played;
use crate::log::{Head, Salt, StoredEvent, chain, kind_name};
use crate::model::{Event, EventKind, Origin};
use crate::replay::source::{Claimed, Recording};

/// The salt of all events. What is left of a log is made to be shown, so that nothing has to
/// be kept from who sees only its hashes; and the same case is the same file.
const SALT: Salt = [0; 16];

/// The log of a case, as it was played. `None` if it cannot end so.
pub(super) fn recording(case: &Case, played: &Played) -> Option<Arc<Recording>> {
    let mut head = Head::default();
    let events = ended(case, played)?.into_iter().map(|event| {
        let stored = chain::follow(&head, event, SALT);
        head = stored.head();
        stored
    });
    let events: Vec<StoredEvent> = events.collect();
    let EventKind::WorkflowStarted(started) = &events.first()?.event.kind else {
        return None;
    };
    Some(Arc::new(Recording {
        execution_id: started.execution_id.parse().ok()?,
        head,
        workflow: case.workflow.to_string().into(),
        claimed: Claimed::Header {
            guest_digest: started.guest_digest.to_string(),
            owed_a_step: false,
            erased: None,
        },
        events,
        erased: Vec::new(),
        broken_link: None,
        broken_off: None,
        components: Vec::new(),
    }))
}

/// The events with what the case ends with.
fn ended(case: &Case, played: &Played) -> Option<Vec<Event>> {
    let mut events = played.events.clone();
    let last = played.turns.last()?.decisions();
    let of_kind = |name: &str| {
        let mut places = last.clone();
        places.find(|place| kind_name(&played.events[*place].kind) == name)
    };
    let (added, origin) = match &case.tail {
        Tail::Honest => return Some(events),
        Tail::Without(name) => {
            events.truncate(of_kind(name)?);
            return Some(events);
        }
        Tail::Instead(name, kind) => {
            events.truncate(of_kind(name)?);
            (kind, Origin::Decision)
        }
        Tail::Besides(kind) => (kind, Origin::Decision),
        Tail::Fact(kind) => (kind, Origin::Fact),
    };
    events.push(Event {
        sequence: events.len() as u64 + 1,
        at: case.turns.get(played.turns.len() - 1)?.at,
        origin,
        kind: added.clone(),
    });
    Some(events)
}
