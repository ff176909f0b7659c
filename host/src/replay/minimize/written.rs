//! A case as a log: chained, and with what it ends with.

use std::sync::Arc;

use super::case::{Case, Tail};
use super::play::{Played, PlayedTurn};
use crate::log::{Head, Salt, StoredEvent, chain, kind_name};
use crate::model::{Event, EventKind, Origin};
use crate::replay::source::{Claimed, Recording};

/// The salt of all events. What is left of a log is made to be shown, so that nothing has to
/// be kept from who sees only its hashes; and the same case is the same file.
const SALT: Salt = [0; 16];

/// The logs of a case, as it was played: one, or, where it ends at a decision of some kind,
/// one for each decision of that kind.
pub(super) fn recordings<'a>(
    case: &'a Case,
    played: &'a Played,
) -> impl Iterator<Item = Arc<Recording>> + 'a {
    let ends = ends(case, played).into_iter();
    ends.filter_map(|end| recording(case, ended(case, played, end)?))
}

fn recording(case: &Case, events: Vec<Event>) -> Option<Arc<Recording>> {
    let mut head = Head::default();
    let events = events.into_iter().map(|event| {
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

/// How many of the events may stand in a log that ends so.
fn ends(case: &Case, played: &Played) -> Vec<usize> {
    match &case.tail {
        Tail::Honest | Tail::Besides(_) | Tail::Fact(_) => vec![played.events.len()],
        Tail::Without(name) | Tail::Instead(name, _) => {
            let last = played.turns.last().map_or(0..0, PlayedTurn::decisions);
            let is_one = |place: &usize| kind_name(&played.events[*place].kind) == name;
            last.filter(is_one).collect()
        }
    }
}

/// So many of the events, and what the case ends with.
fn ended(case: &Case, played: &Played, end: usize) -> Option<Vec<Event>> {
    let mut events = played.events[..end].to_vec();
    let (added, origin) = match &case.tail {
        Tail::Honest | Tail::Without(_) => return Some(events),
        Tail::Instead(_, kind) | Tail::Besides(kind) => (kind, Origin::Decision),
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
