//! What a full log still takes.

use refrain_guest::apply::apply;
use refrain_guest::contract::{
    CancelReason, CancelRequested, Event, EventKind, ExternalEventReceived, HostStalled,
    NodeCancelled, OperatorNote, Origin,
};
use refrain_guest::limits::EVENTS_MAX;
use refrain_guest::machine::Machine;
use refrain_tests::notation::play;

use crate::rules::transitions::Replay;

/// A full log takes no fact that lengthens it, but what ends or frees it.
#[test]
fn law9_a_full_log_can_still_be_cancelled() {
    let world = play("a -> b\n0 tick => schedule a\n0 claim a")
        .unwrap_or_else(|error| panic!("{error}"))
        .world;
    let mut machine = Replay::of(&world, world.events.len()).machine;
    let note = || OperatorNote {
        reason: None,
        by: None,
    };
    let offer = |machine: &mut Machine, origin, kind| {
        let event = Event {
            sequence: machine.sequence() + 1,
            at: 0,
            origin,
            kind,
        };
        apply(machine, &event).map_err(|illegal| illegal.reason)
    };
    while machine.sequence() < EVENTS_MAX {
        let kind = match machine.state().paused {
            false => EventKind::ExecutionPaused(note()),
            true => EventKind::ExecutionUnpaused(note()),
        };
        assert_eq!(offer(&mut machine, Origin::Fact, kind), Ok(()));
    }
    // The last event for which there was room.
    assert!(machine.state().paused);
    let signal = EventKind::ExternalEventReceived(ExternalEventReceived {
        correlation_key: "k".to_owned(),
        payload: "1".to_owned(),
        event_id: None,
        by: None,
    });
    let reason = offer(&mut machine, Origin::Fact, signal);
    assert!(
        reason
            .expect_err("it is full")
            .contains("it holds 1000000 events")
    );
    let stalled = HostStalled {
        reason: "the guest failed".to_owned(),
    };
    let cancelled = NodeCancelled {
        node_id: "a".to_owned(),
        reason: CancelReason::CancelRequested,
    };
    for (origin, kind) in [
        (Origin::Fact, EventKind::ExecutionUnpaused(note())),
        (Origin::Fact, EventKind::HostStalled(stalled)),
        (Origin::Fact, EventKind::StallLifted(note())),
        (
            Origin::Fact,
            EventKind::CancelRequested(CancelRequested {
                reason: None,
                by: None,
            }),
        ),
        (Origin::Decision, EventKind::NodeCancelled(cancelled)),
    ] {
        assert_eq!(offer(&mut machine, origin, kind), Ok(()));
    }
}
