//! Events for tests: every kind, with its options there and not there.

mod values;
mod codes;
mod children;
mod kinds;

use kinds::kinds;

use crate::log::{Head, StoredEvent, chain};
use crate::model::{Event, Origin};

/// One event of each kind and more, numbered from 1.
pub(crate) fn events() -> Vec<Event> {
    kinds()
        .into_iter()
        .zip(1..)
        .map(|(kind, sequence)| Event {
            sequence,
            at: 1_767_225_600_000 + sequence * 1001,
            origin: if sequence % 2 == 0 {
                Origin::Decision
            } else {
                Origin::Fact
            },
            kind,
        })
        .collect()
}

/// The same, chained.
pub(super) fn log() -> Vec<StoredEvent> {
    let mut head = Head::default();
    let mut log = Vec::new();
    for event in events() {
        let salt = [event.sequence as u8; 16];
        let stored = chain::follow(&head, event, salt);
        head = stored.head();
        log.push(stored);
    }
    log
}

#[test]
fn every_kind_has_a_sample() {
    let kinds = kinds();
    for name in super::KIND_NAMES {
        assert!(
            kinds
                .iter()
                .any(|kind| super::form::kind_name(kind) == *name),
            "add a sample of the new kind {name} to samples.rs"
        );
    }
}
