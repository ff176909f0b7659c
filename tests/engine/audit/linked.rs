//! A log that is linked to another one: what is done to it, and what an audit says that has
//! the other one too.

use std::io::Cursor;

use refrain::ExecutionId;
use refrain::log::{Head, Salt, chain};
use refrain::model::{Event, EventKind, WorkflowStarted};
use refrain::replay::{Audit, Auditor, Recording, from_store};
use refrain_tests::engines::{Place, library};

/// A log as the store has it.
pub(super) fn recording(place: &Place, id: ExecutionId) -> Recording {
    let mut store = place.store();
    let reading = from_store(store.as_mut(), id).expect("it can be read");
    reading.expect("it is there").expect("it is readable")
}

/// The log after this was done to its events and salts, chained anew.
pub(super) fn changed(log: &Recording, deed: impl FnOnce(&mut Vec<(Event, Salt)>)) -> Recording {
    let events = log.events.iter();
    let mut events = events.map(|it| (it.event.clone(), it.salt)).collect();
    deed(&mut events);
    let mut head = Head::default();
    let events = (1..)
        .zip(events)
        .map(|(sequence, (event, salt))| {
            let stored = chain::follow(&head, Event { sequence, ..event }, salt);
            head = stored.head();
            stored
        })
        .collect();
    Recording {
        events,
        head,
        ..log.clone()
    }
}

/// The audit of a log with the one that it is linked to at hand.
pub(super) fn audit_with(origin: &Recording, log: &Recording) -> Audit {
    let export = log.export(Vec::new()).expect("memory takes it");
    let mut library = library();
    let auditor = Auditor::new(&mut library).with_origin(origin.clone());
    let audit = { auditor }.audit_export(Cursor::new(export), "memory");
    audit.expect("it can be audited")
}

/// What its first event says.
pub(super) fn started(events: &mut [(Event, Salt)]) -> &mut WorkflowStarted {
    match &mut events[0].0.kind {
        EventKind::WorkflowStarted(started) => started,
        other => panic!("{other:?}"),
    }
}
