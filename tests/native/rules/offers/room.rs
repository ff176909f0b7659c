//! How large a state may become, together with the external events that are kept
//! for it: to the byte.

use refrain_guest::apply::apply;
use refrain_guest::contract::{Event, EventKind, ExternalEventReceived, NodeSettled, Origin};
use refrain_guest::limits::{PAYLOAD_BYTES_MAX, STATE_BYTES_MAX};
use refrain_guest::machine::Machine;
use refrain_tests::notation::play;

use crate::rules::transitions::Replay;

const A_WAIT: &str = r#"
    s -> w
    w: wait external_event {"correlation_key":"k"}
    0 tick             => schedule s
    0 claim s
    0 complete s {"x":1} => wait w
"#;
/// So many events later the wait is ready, and nothing is decided of it.
const READY: usize = 4;

/// The bytes of `"x":1`, and what stands between it and others.
const STATE: usize = 6;
const _: () = assert!(STATE_BYTES_MAX == 4 * PAYLOAD_BYTES_MAX);

fn offer(machine: &mut Machine, origin: Origin, kind: EventKind) -> Result<(), String> {
    let event = Event {
        sequence: machine.sequence() + 1,
        at: 0,
        origin,
        kind,
    };
    apply(machine, &event).map_err(|illegal| illegal.reason)
}

/// An external event whose payload has so many bytes.
fn signal(machine: &mut Machine, bytes: usize) -> Result<(), String> {
    let kind = EventKind::ExternalEventReceived(ExternalEventReceived {
        correlation_key: "k".to_owned(),
        payload: "1".repeat(bytes),
        event_id: None,
        by: None,
    });
    offer(machine, Origin::Fact, kind)
}

#[track_caller]
fn has_no_room(answer: Result<(), String>, would_come_to: usize) {
    let reason = answer.expect_err("it is too large");
    let expected = format!("would come to {would_come_to} bytes");
    assert!(reason.contains(&expected), "{reason}");
}

#[test]
fn r10_r19_what_is_kept_for_waits_has_its_room_until_a_wait_takes_it() {
    let world = play(A_WAIT).unwrap_or_else(|error| panic!("{error}"));
    let mut machine = Replay::of(&world.world, READY).machine;
    for _ in 0..3 {
        assert_eq!(signal(&mut machine, PAYLOAD_BYTES_MAX), Ok(()));
    }
    let rest = PAYLOAD_BYTES_MAX - STATE;
    has_no_room(signal(&mut machine, rest + 1), STATE_BYTES_MAX + 1);
    assert_eq!(signal(&mut machine, rest), Ok(()));
    has_no_room(signal(&mut machine, 1), STATE_BYTES_MAX + 1);

    // The wait takes the first of them.
    let settled = EventKind::NodeSettled(NodeSettled {
        node_id: "w".to_owned(),
        output: "null".to_owned(),
        state_patch: "{}".to_owned(),
        chosen_target: None,
    });
    assert_eq!(offer(&mut machine, Origin::Decision, settled), Ok(()));
    assert_eq!(signal(&mut machine, PAYLOAD_BYTES_MAX), Ok(()));
    has_no_room(signal(&mut machine, 1), STATE_BYTES_MAX + 1);
}
