//! Logs whose chain is right, since the person who changed them knew how to
//! write one: what they tell is still not what happened.

use refrain::model::{Digest, Event, EventKind, NodeFailure, Origin};
use refrain::replay::Verdict;
use refrain::replay::Verdict::{Divergent, Illegal};

use crate::audit::ledger::{Ledger, concluded};

/// Something done to the log; the event at which the audit should find it.
type Change = fn(&Ledger, &mut Vec<Event>) -> u64;

fn find(ledger: &Ledger, kind: &str, node: &str) -> usize {
    usize::try_from(ledger.sequence(kind, Some(node))).expect("it is small") - 1
}

fn renumber(events: &mut [Event]) {
    for (event, sequence) in events.iter_mut().zip(1..) {
        event.sequence = sequence;
    }
}

#[test]
fn law2_what_the_guest_would_not_have_decided_is_divergent() {
    let changes: [(&str, Verdict, Change); 9] = [
        ("another queue", Divergent, |ledger, events| {
            let place = find(ledger, "node_scheduled", "large");
            let EventKind::NodeScheduled(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.queue = "tool".into();
            place as u64 + 1
        }),
        ("another work item", Divergent, |ledger, events| {
            let place = find(ledger, "retry_scheduled", "fragile");
            let EventKind::RetryScheduled(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.item_digest = Digest::default();
            place as u64 + 1
        }),
        ("another state", Divergent, |ledger, events| {
            let place = find(ledger, "node_completed", "begin");
            let EventKind::NodeCompleted(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.state_patch = r#"{"size": 1}"#.into();
            place as u64 + 2
        }),
        ("two decisions swapped", Divergent, |ledger, events| {
            let place = find(ledger, "node_completed", "begin") + 1;
            assert_eq!(
                [events[place].origin, events[place + 1].origin],
                [Origin::Decision; 2]
            );
            events.swap(place, place + 1);
            renumber(events);
            place as u64 + 1
        }),
        ("a decision left out", Divergent, |ledger, events| {
            let place = find(ledger, "node_skipped", "small");
            events.remove(place);
            renumber(events);
            place as u64 + 1
        }),
        ("the ending left out", Divergent, |_, events| {
            events.pop();
            events.len() as u64 + 1
        }),
        ("a decision nobody took", Divergent, |_, events| {
            let last = events.len();
            let mut more = events[last - 2].clone();
            more.sequence = last as u64;
            more.kind = EventKind::WorkflowTimedOut;
            more.origin = Origin::Decision;
            events.insert(last - 1, more);
            renumber(events);
            last as u64
        }),
        ("a later decision", Divergent, |_, events| {
            let last = events.len();
            events[last - 1].at += 1;
            last as u64
        }),
        ("another error", Divergent, |ledger, events| {
            let place = find(ledger, "node_exhausted", "fragile");
            let EventKind::NodeExhausted(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.cause = NodeFailure::AttemptFailed("it was nobody's fault".into());
            place as u64 + 1
        }),
    ];
    check(&changes);
}

#[test]
fn law2_law5_law6_law7_what_may_not_stand_there_is_illegal() {
    let changes: [(&str, Verdict, Change); 9] = [
        ("a fence that nobody holds", Illegal, |ledger, events| {
            let place = find(ledger, "node_completed", "begin");
            let EventKind::NodeCompleted(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.fence += 1;
            place as u64 + 1
        }),
        ("a result twice", Illegal, |ledger, events| {
            let place = find(ledger, "node_completed", "large");
            let again = events[place].clone();
            events.insert(place + 1, again);
            renumber(events);
            place as u64 + 2
        }),
        ("a node that nobody knows", Illegal, |ledger, events| {
            let place = find(ledger, "node_completed", "begin");
            let EventKind::NodeCompleted(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.node_id = "nobody".into();
            place as u64 + 1
        }),
        ("a patch that is no object", Illegal, |ledger, events| {
            let place = find(ledger, "node_completed", "begin");
            let EventKind::NodeCompleted(it) = &mut events[place].kind else {
                unreachable!("found by its kind")
            };
            it.state_patch = "[]".into();
            place as u64 + 1
        }),
        (
            "a decision that calls itself a fact",
            Illegal,
            |ledger, events| {
                let place = find(ledger, "node_scheduled", "large");
                events[place].origin = Origin::Fact;
                place as u64 + 1
            },
        ),
        (
            "a fact that calls itself a decision",
            Illegal,
            |ledger, events| {
                let place = find(ledger, "node_failed", "fragile");
                events[place].origin = Origin::Decision;
                place as u64 + 1
            },
        ),
        ("time that goes back", Illegal, |_, events| {
            let last = events.len();
            events[last - 1].at = 1;
            last as u64
        }),
        ("something after the end", Illegal, |_, events| {
            let last = events.len();
            events.push(Event {
                sequence: last as u64 + 1,
                ..events[last - 1].clone()
            });
            last as u64 + 1
        }),
        ("a second beginning", Illegal, |_, events| {
            events.insert(1, events[0].clone());
            renumber(events);
            2
        }),
    ];
    check(&changes);
}

/// A number that no JSON parser here takes stands in a text of the log all the same.
#[test]
fn an_event_that_cannot_be_shown_is_not_called_missing() {
    let ledger = Ledger::new();
    let mut events = ledger.plain_events();
    let Some(Event {
        sequence,
        kind: EventKind::WorkflowFailed(it),
        ..
    }) = events.last_mut()
    else {
        panic!("the ledger's execution fails");
    };
    it.final_state = r#"{"size": 1e400}"#.into();
    let sequence = *sequence;
    ledger.rewrite(events);
    let audit = ledger.audit();
    assert_eq!(concluded(&audit), (Divergent, Some(sequence)), "{audit:#?}");
    let divergence = audit.divergence.expect("what it is");
    assert_eq!(divergence.found, None);
    assert_eq!(
        divergence.message,
        format!("the guest decides otherwise, at event {sequence}")
    );
}

fn check(changes: &[(&str, Verdict, Change)]) {
    for (name, verdict, change) in changes {
        let ledger = Ledger::new();
        let mut events = ledger.plain_events();
        let sequence = change(&ledger, &mut events);
        ledger.rewrite(events);
        let audit = ledger.audit();
        assert_eq!(
            concluded(&audit),
            (*verdict, Some(sequence)),
            "{name}: {audit:#?}"
        );
        let divergence = audit
            .divergence
            .unwrap_or_else(|| panic!("{name}: no divergence"));
        assert!(!divergence.message.is_empty(), "{name}");
        if *verdict == Divergent {
            assert!(
                divergence.expected.is_some() || divergence.found.is_some(),
                "{name}: {divergence:#?}"
            );
            assert!(divergence.state_hash.is_some(), "{name}: {divergence:#?}");
        }
    }
}
