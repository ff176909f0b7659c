//! What wrong hosts write: stalls, guests and snapshots that the log does not
//! bear out (laws 9 and 10).

use refrain::log::digest::{digest, hex};
use refrain::model::{Event, EventKind, Snapshot, Status};
use refrain::store::{ComponentRecord, ExecutionChange, Store, Turn};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::memory_ports::MemoryPorts;
use refrain_tests::saboteur::rechained;

use crate::sabotage::world::LIBRARY;

use super::{Written, edited, events_of, with_snapshot};

/// An execution is held, and nothing says why.
pub(crate) fn stall_without_event(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        change.record.status = Status::Stalled;
        Some(change)
    })
}

/// The execution is handed to another guest, and the log does not know.
pub(crate) fn guest_changed_in_silence(turn: &Turn, store: &mut dyn Store) -> Written {
    let bytes = DIVERGENT.committed().expect("it is committed");
    let other = digest(&bytes);
    let mut turn = turn.clone();
    turn.components.push(ComponentRecord {
        digest: other.clone(),
        bytes,
    });
    edited(&turn, store, |change| {
        let mut change = change.clone();
        change.record.guest_digest = other.as_str().into();
        (change.expected.sequence > 0).then_some(change)
    })
}

/// The guest that a log names is not kept.
pub(crate) fn guest_not_kept(turn: &Turn, store: &mut dyn Store) -> Written {
    if turn.components.is_empty() {
        return None;
    }
    let turn = Turn {
        components: Vec::new(),
        ..turn.clone()
    };
    Some(store.commit(&turn))
}

/// Another guest decides than event 1 says.
pub(crate) fn guest_misnamed(turn: &Turn, store: &mut dyn Store) -> Written {
    let named = LIBRARY.built_in();
    let bytes = LIBRARY.bytes(named).expect("it is built in").to_vec();
    let mut turn = turn.clone();
    turn.components.push(ComponentRecord {
        digest: named.to_owned(),
        bytes,
    });
    edited(&turn, store, |change| {
        let mut events = events_of(change);
        let EventKind::WorkflowStarted(started) = &mut events.first_mut()?.kind else {
            return None;
        };
        started.guest_digest = named.parse().ok()?;
        let mut change = rechained(change.clone(), events);
        change.record.guest_digest = named.into();
        Some(change)
    })
}

/// A snapshot that names a head that never was, of another state.
pub(crate) fn snapshot_of_no_head(turn: &Turn, store: &mut dyn Store) -> Written {
    with_snapshot(turn, store, |change, store| Snapshot {
        head: digest(b"never was"),
        ..of_another_state(change, store)
    })
}

/// A snapshot that names another guest than the log.
pub(crate) fn snapshot_of_another_guest(turn: &Turn, store: &mut dyn Store) -> Written {
    with_snapshot(turn, store, |change, _| Snapshot {
        guest_digest: digest(b"another"),
        sequence: change.record.head.sequence,
        head: hex(&change.record.head.hash),
        state: Vec::new(),
    })
}

/// A snapshot that names the right head, of another state.
pub(crate) fn snapshot_of_another_state(turn: &Turn, store: &mut dyn Store) -> Written {
    with_snapshot(turn, store, of_another_state)
}

/// The same events, but that each result brings another patch.
fn of_another_state(change: &ExecutionChange, store: &mut dyn Store) -> Snapshot {
    let record = &change.record;
    let before = store
        .events(record.id, 1, 1000)
        .expect("the log can be read");
    let mut events: Vec<Event> = before.into_iter().map(|stored| stored.event).collect();
    events.extend(events_of(change));
    for event in &mut events {
        if let EventKind::NodeCompleted(it) = &mut event.kind {
            it.state_patch = r#"{"a":"another"}"#.to_owned();
        }
    }
    let workflow = store.workflow(
        &record.tenant,
        &record.workflow_id,
        &record.workflow_version,
    );
    let ports = MemoryPorts {
        workflow: workflow
            .expect("it can be read")
            .expect("it is registered")
            .text,
        now: record.last_at,
        events,
        ..MemoryPorts::default()
    };
    let mut guest = LIBRARY
        .clone()
        .instance(&record.guest_digest)
        .expect("it runs");
    let (_, snapshot) = guest.snapshot(ports, record.id);
    Snapshot {
        head: hex(&record.head.hash),
        guest_digest: record.guest_digest.to_string(),
        ..snapshot.expect("it is a legal log")
    }
}
