//! R27: logs in which compensations stand out of turn.

use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{
    CancelReason, Event, EventKind, ItemDigest, NodeCancelled, NodeExhausted, NodeFailure,
    NodeScheduled, Origin, RefusalCode as Code, StallReason, Stalled,
};
use refrain_tests::notation::play;

use crate::rules::laws::planned;

/// A log in which a compensation is ordered that is none, or not now.
#[test]
fn r27_a_compensation_out_of_turn_is_refused() {
    let table = r#"
        a -> b -> c -> d
        a: tool undo=tool
        b: tool retry=no_retry undo=tool
        c: tool undo=tool
        d: tool retry=no_retry undo=tool
        0000 tick             => schedule a
        0010 complete a       => schedule b
        0020 complete b       => schedule c
        0030 complete c       => schedule d
        0040 fail d           => exhaust d, schedule c!undo
        0050 complete c!undo  => schedule b!undo
        0060 complete b!undo  => schedule a!undo
        0070 complete a!undo  => failed d
        "#;
    let world = play(table).expect("the table holds").world;
    let (plan, digest) = planned(&world);
    let is_order = |event: &Event, id: &str| matches!(&event.kind, EventKind::NodeScheduled(it) if it.node_id == id);
    let place = |id: &str| {
        let found = world.events.iter().position(|event| is_order(event, id));
        found.expect("it is ordered")
    };
    let forged = |before: usize, kind: EventKind| {
        let mut machine = start(plan.clone(), &digest, &world.events[0]).expect("event 1");
        for event in &world.events[1..before] {
            apply(&mut machine, event).expect("the log is legal");
        }
        let event = Event {
            kind,
            origin: Origin::Decision,
            ..world.events[before].clone()
        };
        let illegal = apply(&mut machine, &event);
        illegal.expect_err("it may not stand here").code
    };
    let order = |id: &str, attempt| {
        EventKind::NodeScheduled(NodeScheduled {
            node_id: id.to_owned(),
            queue: "tool".to_owned(),
            attempt,
            item_digest: ItemDigest::default(),
        })
    };
    let cancelled = |id: &str, reason| {
        EventKind::NodeCancelled(NodeCancelled {
            node_id: id.to_owned(),
            reason,
        })
    };
    let (first, second) = (place("c!undo"), place("b!undo"));
    // While the execution goes on; that of what has failed; and before its turn.
    assert_eq!(forged(place("d"), order("a!undo", 1)), Code::TooEarly);
    assert_eq!(forged(first, order("d!undo", 1)), Code::UnknownNode);
    assert_eq!(forged(first, order("c!undo!undo", 1)), Code::UnknownNode);
    assert_eq!(forged(first, order("a!undo", 1)), Code::TooEarly);
    assert_eq!(forged(first, order("c!undo", 2)), Code::Unfounded);
    // Twice; next to another one; and stopped by nobody.
    assert_eq!(forged(first + 1, order("c!undo", 1)), Code::TooEarly);
    assert_eq!(forged(first + 1, order("b!undo", 1)), Code::TooEarly);
    assert_eq!(forged(second, order("c!undo", 1)), Code::TooEarly);
    for reason in [CancelReason::CancelRequested, CancelReason::MapSettled] {
        assert_eq!(
            forged(second + 1, cancelled("b!undo", reason)),
            Code::Unfounded
        );
    }
    let stalled = EventKind::Stalled(Stalled {
        reason: StallReason::AttemptsExhausted(NodeExhausted {
            node_id: "b!undo".to_owned(),
            attempts: 1,
            cause: NodeFailure::AttemptFailed("boom".to_owned()),
        }),
    });
    assert_eq!(forged(second + 1, stalled), Code::WrongState);
    // An end before all is undone.
    let ended = world.events.last().expect("an end").kind.clone();
    assert_eq!(forged(first, ended.clone()), Code::Unfounded);
    assert_eq!(forged(second, ended), Code::Unfounded);
}
