//! What the world might do: small choices, of which a history is made.
//!
//! A choice names nothing. It says "the third of those that can be claimed",
//! and means whatever that is where it is made; where it means nothing, it is
//! left out. So choices can be dropped and made smaller, and what is left is
//! a legal history again.

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection;
use proptest::prelude::*;

/// One turn: the clock, then what happens.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    pub(super) clock: Clock,
    pub(super) fork: Option<Fork>,
    pub(super) acts: Vec<Act>,
}

/// The execution is forked before all else that happens in a turn.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    /// Behind which event.
    pub(super) place: Pick,
    /// Results that are put in the place of what workers would have answered.
    pub(super) edits: Vec<(Pick, Outcome)>,
}

/// What the clock does before a turn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// So many milliseconds pass.
    Pass(u16),
    /// Time passes until something can change by itself.
    UntilSomething,
    /// Somebody sets the wall clock, by so many seconds. While it is behind
    /// the log, turns go on from the log's last time (law 5).
    Set(i16),
}

/// Which one, of those that it could be.
pub(super) type Pick = u8;

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A worker claims.
    Claim(Pick),
    /// A worker has a result.
    Complete(Pick, Outcome),
    /// An attempt fails.
    Fail(Pick, Option<&'static str>, bool),
    /// A lease expires.
    Expire(Pick),
    /// A worker gives its item back: once, or as often as makes it an expired lease.
    GiveBack(Pick, Often),
    /// A person approves, perhaps with a patch.
    Approve(Pick, Patch),
    /// A person rejects.
    Reject(Pick),
    /// An external event.
    Signal(Pick, Patch),
    /// A child was started, cannot be, or has ended; perhaps with a final state.
    Child(Pick, Patch),
    /// An operator holds the execution.
    Pause,
    /// The host saw the guest fail.
    Stall,
    /// Whatever holds the execution is lifted.
    Release(Pick),
    /// An operator retries what failed.
    Retry(Pick),
    /// An operator skips a node.
    Skip(Pick),
    /// Someone asks for the end.
    Cancel,
    /// The execution goes to another guest.
    ChangeGuest(Pick),
}

/// How often something happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Often {
    Once,
    UntilTheEnd,
}

/// What a worker brings.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) patch: Patch,
    /// One of its targets, or the end.
    pub(super) chosen: Option<Pick>,
    /// An output and what it measured.
    pub(super) is_talkative: bool,
}

/// What is merged into the state: the few keys that generated conditions ask
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patch {
    None,
    /// `{"k0":1}`.
    Key(u8, u8),
    /// `{"list":[1,2,3]}`.
    List,
}

/// A history's turns.
pub(super) fn choices() -> impl Strategy<Value = Vec<Choices>> {
    let turn = (
        clock(),
        prop::option::weighted(0.05, forks()),
        collection::vec(acts(), 0..5),
    );
    let turn = turn.prop_map(|(clock, fork, acts)| Choices { clock, fork, acts });
    collection::vec(turn, 1..40)
}

/// Mostly late in the log: a fork of its beginning has nothing left of what happened.
fn forks() -> impl Strategy<Value = Fork> {
    let place = prop_oneof![2 => 0..10_u8, 1 => any::<u8>()];
    let edits = collection::vec((any::<u8>(), outcomes()), 0..12);
    (place, edits).prop_map(|(place, edits)| Fork { place, edits })
}

fn clock() -> impl Strategy<Value = Clock> {
    prop_oneof![
        10 => (0..=50_u16).prop_map(Clock::Pass),
        3 => (0..=5_000_u16).prop_map(Clock::Pass),
        6 => Just(Clock::UntilSomething),
        1 => (-100..=100_i16).prop_map(Clock::Set),
    ]
}

fn acts() -> impl Strategy<Value = Act> {
    let pick = any::<u8>;
    let classes = ["io_error", "timeout", "rate_limit", "server_error", "other"];
    let class = prop::option::weighted(0.7, prop::sample::select(classes.to_vec()));
    prop_oneof![
        40 => (pick(), outcomes()).prop_map(|(pick, outcome)| Act::Complete(pick, outcome)),
        18 => pick().prop_map(Act::Claim),
        14 => (pick(), class, prop::bool::weighted(0.15)).prop_map(|(pick, class, fatal)| Act::Fail(pick, class, fatal)),
        5 => pick().prop_map(Act::Expire),
        6 => pick().prop_map(|pick| Act::GiveBack(pick, Often::Once)),
        1 => pick().prop_map(|pick| Act::GiveBack(pick, Often::UntilTheEnd)),
        6 => (pick(), patches()).prop_map(|(pick, patch)| Act::Approve(pick, patch)),
        2 => pick().prop_map(Act::Reject),
        7 => (pick(), patches()).prop_map(|(pick, patch)| Act::Signal(pick, patch)),
        8 => (pick(), patches()).prop_map(|(pick, patch)| Act::Child(pick, patch)),
        2 => Just(Act::Pause),
        1 => Just(Act::Stall),
        8 => pick().prop_map(Act::Release),
        4 => pick().prop_map(Act::Retry),
        3 => pick().prop_map(Act::Skip),
        1 => Just(Act::Cancel),
        1 => pick().prop_map(Act::ChangeGuest),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let chosen = prop::option::weighted(0.1, any::<u8>());
    (patches(), chosen, prop::bool::weighted(0.25)).prop_map(|(patch, chosen, is_talkative)| {
        Outcome {
            patch,
            chosen,
            is_talkative,
        }
    })
}

fn patches() -> impl Strategy<Value = Patch> {
    prop_oneof![
        3 => Just(Patch::None),
        5 => (0..3_u8, 0..4_u8).prop_map(|(key, value)| Patch::Key(key, value)),
        1 => Just(Patch::List),
    ]
}
