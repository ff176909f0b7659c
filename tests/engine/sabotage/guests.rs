//! Wrong guests, and guests that are not who they are said to be.

use refrain_tests::checkers::Law;
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::saboteur::Deed;
use refrain_tests::wat_guest::{TAKE_ALL, WatGuest};

use crate::sabotage::deeds::guests::guest_misnamed;
use crate::sabotage::story;
use crate::sabotage::verdict::{described, missed};
use crate::sabotage::world::{Host, World};

/// Any guest may decide, and an audit asks the guest that the log names: a
/// guest that dispatches the other way round is no harm.
#[test]
fn another_guest_under_its_own_name_is_right() {
    let host = Host {
        guest: Some(DIVERGENT.committed().expect("it is committed")),
        ..Host::default()
    };
    let outcome = World::with(host, story::everything);
    let all = described("brings another guest", &outcome);
    assert!(
        outcome.found.is_empty() && outcome.silence.is_none(),
        "{all}"
    );
}

#[test]
fn law2_another_guest_under_our_name_is_found() {
    let host = Host {
        guest: Some(DIVERGENT.committed().expect("it is committed")),
        deed: Some(Deed::Write(guest_misnamed)),
        ..Host::default()
    };
    let outcome = World::with(host, story::fork);
    let missed = missed(
        "lets another guest decide",
        &outcome,
        Law::Derived,
        "the guest decides otherwise",
    );
    assert_eq!(missed, None);
}

/// A guest that takes every fact and concludes nothing from it: the answer
/// `running` is true, and nothing will ever happen.
#[test]
fn law9_a_guest_that_decides_nothing_is_found() {
    let guest = WatGuest {
        step: TAKE_ALL,
        ..WatGuest::default()
    };
    let outcome = World::with(brought(guest), story::start);
    let missed = missed(
        "brings a lazy guest",
        &outcome,
        Law::Loud,
        "nothing will ever happen",
    );
    assert_eq!(missed, None);
}

/// A guest that remembers something which is in no log: how often it was
/// asked. Another instance of it comes to another answer.
#[test]
fn law3_a_guest_with_a_memory_is_found() {
    let remember = format!("{REMEMBER} {TAKE_ALL}");
    let guest = WatGuest {
        step: &remember,
        rest: "(global $asked (mut i64) (i64.const 0))",
        ..WatGuest::default()
    };
    let host = Host {
        overlooked: &[Law::Status],
        ..brought(guest)
    };
    let outcome = World::with(host, story::start);
    let missed = missed(
        "brings a guest with a memory",
        &outcome,
        Law::Atomic,
        "its guest comes to",
    );
    assert_eq!(missed, None);
}

fn brought(guest: WatGuest<'_>) -> Host {
    Host {
        guest: Some(guest.component().expect("it is of the contract's world")),
        ..Host::default()
    }
}

/// A wake that counts how often it was asked.
const REMEMBER: &str = "
    (global.set $asked (i64.add (global.get $asked) (i64.const 1)))
    (i32.store8 (i32.const 1048) (i32.const 1))
    (i64.store (i32.const 1056) (i64.add (i64.const 1800000000000) (global.get $asked)))";
