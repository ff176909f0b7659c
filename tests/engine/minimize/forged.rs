//! Logs that no scheduler has written.

use refrain::model::{Event, EventKind};
use refrain::replay::{Audit, Written, minimize};
use serde_json::json;

use super::guests::{Guests, Run, chain, kind_of, recording, says_nothing, worked_on};

/// An edit of a log.
type Edit = fn(&mut Vec<Event>);

/// Where the log has what nobody has decided, what is wrong stays in it.
#[test]
fn a_forged_log_becomes_a_small_forged_one() {
    let mut guests = Guests::new();
    let workflow = chain(40, "< -> left, < -> right, left -> last, right -> last");
    let log = worked_on(Run::new(&mut guests, &workflow, &json!({ "secret": 1 }))).log();
    let edits: [(&str, Edit, u64); 5] = [
        (
            "two decisions change places",
            |events| {
                let at = fan(events);
                let (left, right) = events.split_at_mut(at + 1);
                std::mem::swap(&mut left[at].kind, &mut right[0].kind);
            },
            6,
        ),
        (
            "a decision is missing",
            |events| {
                let at = fan(events);
                events.truncate(at + 1);
            },
            6,
        ),
        (
            "a decision that nothing leads to",
            |events| {
                let at = fan(events);
                let kind = events[at].kind.clone();
                events.truncate(at + 2);
                let mut more = events[at].clone();
                more.kind = match kind {
                    EventKind::NodeScheduled(mut it) => {
                        it.node_id = "last".to_owned();
                        EventKind::NodeScheduled(it)
                    }
                    other => panic!("{other:?}"),
                };
                events.push(more);
            },
            8,
        ),
        (
            "a result that nobody asked for",
            |events| {
                let at = fan(events);
                let done = events
                    .iter()
                    .find(|event| matches!(event.kind, EventKind::NodeCompleted(_)));
                let mut again = done.expect("one").clone();
                again.at = events[at].at;
                events.truncate(at + 2);
                events.push(again);
            },
            8,
        ),
        (
            "another digest of an item",
            |events| {
                let at = fan(events);
                if let EventKind::NodeScheduled(it) = &mut events[at].kind {
                    it.item_digest.0[3] ^= 1;
                }
            },
            6,
        ),
    ];
    let ours = guests.ours.clone();
    for (what, edit, events_max) in edits {
        let mut events: Vec<Event> = log.events.iter().map(|it| it.event.clone()).collect();
        edit(&mut events);
        for (event, sequence) in events.iter_mut().zip(1..) {
            event.sequence = sequence;
        }
        let forged = recording(&log.workflow, events);
        let before = guests.audit(&forged, None);
        assert!(!before.verdict.is_good(), "{what}");
        for asked in [None, Some(ours.as_str())] {
            let small = minimize(&mut guests.library, &forged, asked, &mut |_| true);
            let small = small.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(small.written, Written::ByAskedGuest, "{what}");
            let after = guests.audit(&small.recording, None);
            let code = |audit: &Audit| {
                let it = audit.divergence.as_ref().expect("it diverges");
                (audit.verdict, it.code, kind_of(&it.expected))
            };
            assert_eq!(code(&after), code(&before), "{what}");
            assert!(
                small.after.events <= events_max,
                "{what}: {:?}\n{:?}",
                small.after,
                small.table
            );
            says_nothing(&small);
        }
    }
}

/// Where the fan is dispatched.
fn fan(events: &[Event]) -> usize {
    let is_dispatch = |at: usize| matches!(events[at].kind, EventKind::NodeScheduled(_));
    let mut places = 1..events.len() - 1;
    places
        .find(|at| is_dispatch(*at) && is_dispatch(at + 1))
        .expect("a fan")
}
