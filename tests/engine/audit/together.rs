//! Logs that are at hand together and were not exported at one moment, or are copies of one
//! another (law 11).

use std::io::Cursor;

use refrain::model::{Digest, ForkOrigin};
use refrain::replay::{Auditor, LinkState, Missing, Recording, Verdict, from_export};
use refrain_tests::engines::library;

use super::children::families;
use super::forked::forked;
use super::linked::{audit_with, changed, started};

fn export(log: &Recording) -> String {
    let export = log.export(Vec::new()).expect("memory takes it");
    String::from_utf8(export).expect("a text")
}

fn read(text: &str) -> Recording {
    let reading = from_export(Cursor::new(text), "memory").expect("memory can be read");
    reading.expect("it is an export")
}

/// The log as it was when it had so many events.
fn early(log: &Recording, events: usize) -> Recording {
    changed(log, |all| all.truncate(events))
}

fn said(missing: &[Missing]) -> Vec<(String, u64, u64)> {
    let all = missing.iter();
    all.map(|it| (it.execution_id.clone(), it.from, it.to))
        .collect()
}

/// A copy of a parent whose header claims the head of the true one, and which was changed, is
/// another log: nothing that is known of one of the two holds for the other.
#[tokio::test]
async fn law11_a_copy_of_a_parent_is_not_believed_for_the_head_that_it_claims() {
    let [(parent, child), _] = families().await;
    let (whole, child) = (export(&parent), export(&child));
    let forged = whole.replacen("\"node_id\":\"a\"", "\"node_id\":\"x\"", 1);
    assert_ne!(whole, forged);
    assert_eq!(read(&forged).head, parent.head);

    let mut library = library();
    let mut auditor = Auditor::new(&mut library).with_origin(read(&forged));
    let audited = |auditor: &mut Auditor<'_>, log: &str| {
        let audit = auditor.audit_export(Cursor::new(log), "memory");
        let audit = audit.expect("it can be audited");
        (audit.verdict, audit.child_of.map(|it| it.link))
    };
    let of_parent = audited(&mut auditor, &whole);
    assert_eq!(of_parent, (Verdict::Clean, None));
    let unsound = (Verdict::Clean, Some(LinkState::OriginUnsound));
    assert_eq!(audited(&mut auditor, &child), unsound);
    let mut auditor = auditor.with_origin(read(&whole));
    let linked = (Verdict::Clean, Some(LinkState::Linked));
    assert_eq!(audited(&mut auditor, &child), linked);
    // Another copy that is as whole is the same log.
    let mut auditor = auditor.with_origin(read(&whole));
    assert_eq!(audited(&mut auditor, &child), linked);
}

/// A child's log that was exported before it ended, and its parent's that was exported later.
#[tokio::test]
async fn law11_what_is_missing_of_a_child_is_named_and_nobody_is_blamed() {
    let [(parent, child), _] = families().await;
    let id = child.execution_id.to_string();
    let last = child.head.sequence;
    let cut = early(&child, 2);
    let missing = vec![(id, 3, last)];

    let of_child = audit_with(&parent, &cut);
    assert_eq!(of_child.verdict, Verdict::Clean, "{of_child:?}");
    let link = of_child.child_of.as_ref().map(|it| it.link);
    assert_eq!(link, Some(LinkState::Cut));
    assert_eq!(said(&of_child.missing), missing);
    let of_parent = audit_with(&cut, &parent);
    assert_eq!(of_parent.verdict, Verdict::Clean, "{of_parent:?}");
    assert_eq!(said(&of_parent.missing), missing);
    assert_eq!(
        of_parent.missing[0].sentence(),
        format!(
            "events 3 to {last} of {} are missing: its log ends with event 2",
            child.execution_id
        )
    );

    // A log that lost its end, and not its header, says so itself. Nothing is known from it.
    let text = export(&child);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let torn = read(&lines[..4].concat());
    let of_parent = audit_with(&torn, &parent);
    assert_eq!(of_parent.verdict, Verdict::Clean, "{of_parent:?}");
    assert!(of_parent.missing.is_empty());
    let alone = audit_with(&parent, &torn);
    assert_eq!(alone.verdict, Verdict::Tampered);
    let message = alone.divergence.expect("it is told").message;
    assert!(message.starts_with("event 4 is missing"), "{message}");

    // What is there is compared all the same, and nothing is missing behind an end.
    let other = changed(&cut, |events| started(events).priority = 9);
    for (at_hand, log) in [(&parent, &other), (&other, &parent)] {
        let audit = audit_with(at_hand, log);
        assert_eq!(audit.verdict, Verdict::Tampered, "{audit:?}");
    }
    let shorter = changed(&child, |events| drop(events.drain(2..events.len() - 1)));
    for (at_hand, log) in [(&parent, &shorter), (&shorter, &parent)] {
        let audit = audit_with(at_hand, log);
        assert_eq!(audit.verdict, Verdict::Tampered, "{audit:?}");
    }
}

#[tokio::test]
async fn law11_what_is_missing_of_a_parent_or_an_origin_is_named_too() {
    let [(parent, child), _] = families().await;
    let audit = audit_with(&early(&parent, 2), &child);
    assert_eq!(audit.verdict, Verdict::Clean, "{audit:?}");
    let link = audit.child_of.as_ref().map(|it| it.link);
    assert_eq!(link, Some(LinkState::Cut));
    let id = parent.execution_id.to_string();
    assert_eq!(said(&audit.missing), [(id, 3, 5)]);

    let (origin, fork) = forked().await;
    let cut = early(&origin, 3);
    let audit = audit_with(&cut, &fork);
    assert_eq!(audit.verdict, Verdict::Clean, "{audit:?}");
    let link = audit.forked_from.as_ref().map(|it| it.link);
    assert_eq!(link, Some(LinkState::Cut));
    let id = origin.execution_id.to_string();
    assert_eq!(said(&audit.missing), [(id, 4, 6)]);
    let other = changed(&cut, |events| events[1].1[0] ^= 1);
    let audit = audit_with(&other, &fork);
    assert_eq!(audit.verdict, Verdict::Tampered, "{audit:?}");
    assert_eq!(audit.divergence.map(|it| it.sequence), Some(2));
}

/// A fork has no parent: its event 1 names its origin, and nobody has asked for it.
#[tokio::test]
async fn law11_nobody_is_a_child_and_a_fork() {
    let [(parent, child), (other, _)] = families().await;
    let both = changed(&child, |events| {
        started(events).forked_from = Some(ForkOrigin {
            execution_id: other.execution_id.to_string(),
            sequence: 1,
            head: Digest(other.events[0].hash),
        });
    });
    for at_hand in [&parent, &other, &child] {
        let audit = audit_with(at_hand, &both);
        assert_eq!(audit.verdict, Verdict::Illegal, "{audit:?}");
        let found = audit.divergence.expect("it is told");
        assert_eq!(found.sequence, 1);
        assert!(
            found.message.contains("a fork is nobody's child"),
            "{found:?}"
        );
    }
}
