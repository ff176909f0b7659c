//! Wrong hosts, one a row: how it is wrong, which law finds it, what that says.

use refrain::store::{Store, Turn};
use refrain_tests::checkers::Law;
use refrain_tests::saboteur::{Deed, Sight};
use rusqlite::Connection;

use crate::sabotage::deeds::{
    Written, answers, commits, decisions, forks, guests, releases, times,
};
use crate::sabotage::doors::Door;
use crate::sabotage::verdict::{described, missed};
use crate::sabotage::world::{Halt, Host, World};
use crate::sabotage::{beneath, story};

/// A host that is wrong in what it writes.
fn writes(write: fn(&Turn, &mut dyn Store) -> Written) -> Host {
    Host {
        deed: Some(Deed::Write(write)),
        ..Host::default()
    }
}

/// A host whose store is wrong beneath what stores check.
fn holds(change: fn(&Connection) -> bool) -> Host {
    Host {
        deed: Some(Deed::Behind(change)),
        file: true,
        ..Host::default()
    }
}

/// A host whose store does not find what is to be done.
fn overlooks(sight: Sight) -> Host {
    Host {
        deed: Some(Deed::Overlook(sight)),
        ..Host::default()
    }
}

/// A host that is wrong in what it answers.
fn says(door: Door) -> Host {
    Host {
        door,
        ..Host::default()
    }
}

/// What a host lives through.
pub(crate) type Story = fn(&mut World) -> Result<(), Halt>;

/// A wrong host: how it is wrong, which law finds it, and what that says.
pub(crate) type Row = (&'static str, Host, Law, &'static str);

#[rustfmt::skip]
pub(crate) fn wrong_hosts() -> Vec<Row> {
    vec![
        ("leaves out a number",                        holds(beneath::gap),                            Law::Gapless,       "where event 3 should be stands event 4"),
        ("dispatches out of order",                    writes(decisions::dispatch_unsorted),           Law::Derived,       "the guest decides otherwise"),
        ("invents a decision",                         writes(decisions::decision_invented),           Law::Derived,       "the guest decides nothing here"),
        ("calls a decision a fact",                    writes(decisions::decision_called_a_fact),      Law::Derived,       "a fact cannot be of this kind"),
        ("drops a decision",                           writes(commits::decision_dropped),              Law::Atomic,        "it still has to decide {\"NodeScheduled\""),
        ("commits decisions after their fact",         writes(commits::decisions_in_a_second_commit),  Law::Atomic,        "it still has to decide {\"NodeScheduled\""),
        ("enqueues outside the commit",                writes(commits::items_in_a_second_commit),      Law::Queue,         "the log has attempt 1 of node \"a\" in the queue, and the store does not"),
        ("orders another item than was decided",       writes(commits::item_altered),                  Law::Queue,         "its decision names"),
        ("orders what was not decided",                writes(commits::item_invented),                 Law::Queue,         "and the log never ordered it"),
        ("keeps no dead letters",                      writes(commits::dead_letter_dropped),           Law::Queue,         "in the queue, and the store does not"),
        ("leases to another than it says",             writes(answers::lease_of_another),              Law::Queue,         "and the store Held { worker_id: \"another\""),
        ("never settles an item",                      writes(commits::item_never_settled),            Law::Queue,         "is in the queue, and the log has settled it"),
        ("writes the end and not the status",          writes(commits::end_without_status),            Law::EndedIsEnded,  "and its record says that it is running"),
        ("records an end that never was",              writes(commits::status_without_end),            Law::EndedIsEnded,  "and its log holds no end"),
        ("forgets a pause",                            writes(commits::status_not_kept),               Law::Status,        "its record says that it is running, and its log paused"),
        ("forgets when to wake",                       writes(commits::wake_forgotten),                Law::Status,        "its record wakes it at None"),
        ("begins the chain anew",                      holds(beneath::chain_not_continued),            Law::Chained,       "its hash is not that of its bytes and of the hash before it"),
        ("edits an event",                             holds(beneath::event_edited),                   Law::Chained,       "its hash is not that of its bytes and of the hash before it"),
        ("binds another workflow",                     writes(times::another_workflow_bound),          Law::Chained,       "it binds another workflow than the store holds"),
        ("believes a clock that goes back",            writes(times::clock_set_back),                  Law::InTime,        "it is stamped 1000 ms before the event before it"),
        ("reads the clock twice in a turn",            writes(times::clock_read_twice),                Law::InTime,        "and its turn's clock reading was"),
        ("ends twice",                                 writes(times::second_end),                      Law::EndedIsEnded,  "a second end comes after event"),
        ("takes facts after the end",                  writes(times::fact_after_the_end),              Law::EndedIsEnded,  "an event comes after event"),
        ("does not look at fences",                    says(Door::TakesTheStale),                      Law::Fenced,        "and no claim holds its item"),
        ("grants what is held",                        says(Door::GrantsWhatIsHeld),                   Law::Fenced,        "holds its item"),
        ("mints another fence than it says",            writes(answers::fence_of_another),              Law::Queue,         "and the store Held { worker_id: \"w1\", fence: 1 }"),
        ("cuts a lease short",                         writes(answers::lease_cut_short),               Law::Fenced,        "its worker was told that it holds until"),
        ("calls stale what it recorded",               says(Door::CallsItStale),                       Law::Fenced,        "was refused as stale, and is in the log"),
        ("calls recorded what it refused",             says(Door::FlattersTheStale),                   Law::NothingLost,   "was acknowledged, and is not in the log"),
        ("loses a result that it acknowledged",        writes(answers::result_lost),                   Law::NothingLost,   "was acknowledged, and is not in the log"),
        ("leaves out what conflicts, and does not say so", writes(commits::execution_left_out),       Law::NothingLost,   "was acknowledged, and is not in the log"),
        ("loses a claim that it granted",              writes(answers::claim_lost),                    Law::NothingLost,   "was given attempt 1 of node \"a\", and the log does not say so"),
        ("loses a request that it acknowledged",       writes(answers::request_lost),                  Law::NothingLost,   "was acknowledged 1 times (and 0 times in doubt), and is 0 times in the log"),
        ("takes an external event twice",              writes(answers::signal_doubled),                Law::NothingLost,   "and is 2 times in the log"),
        ("alters a result",                            writes(answers::result_altered),                Law::NothingLost,   "was acknowledged, and is not in the log"),
        ("forgets by which key it started one",        writes(answers::key_not_kept),                  Law::NothingLost,   "the key \"order-17\" started it"),
        ("takes a result twice",                       writes(answers::result_doubled),                Law::CountedOnce,   "is answered a second time by the claim with fence"),
        ("calls an answer new twice",                  says(Door::CallsItNew),                         Law::CountedOnce,   "were told that they are recorded"),
        ("leaves a patch out of the final state",      writes(answers::patch_left_out),                Law::CountedOnce,   "and the patches merge to"),
        ("stalls in silence",                          writes(guests::stall_without_event),            Law::Loud,          "it is stalled, and no event says why"),
        ("never finds what may be claimed",            overlooks(Sight::Items),                        Law::Loud,          "and nobody who looks for such finds it"),
        ("never finds who is to wake",                 overlooks(Sight::Wakes),                        Law::Loud,          "and would not be found then"),
        ("never finds leases that are over",           overlooks(Sight::Leases),                       Law::Loud,          "and nobody who looks for such finds it"),
        ("changes the guest in silence",               writes(guests::guest_changed_in_silence),       Law::GuestForLife,  "and its record names"),
        ("does not keep the guest",                    writes(guests::guest_not_kept),                 Law::GuestForLife,  "and the store does not keep it"),
        ("keeps a snapshot of no head",                writes(guests::snapshot_of_no_head),            Law::GuestForLife,  "with another hash than the log's"),
        ("keeps a snapshot of another guest",          writes(guests::snapshot_of_another_guest),      Law::GuestForLife,  "names another guest than the log"),
        ("keeps a snapshot of another state",          writes(guests::snapshot_of_another_state),      Law::Snapshots,     "a guest that begins with the snapshot of event"),
    ]
}

/// Hosts that let work wait: what they are like, the story in which that shows,
/// which law finds it, and what that says.
#[rustfmt::skip]
pub(crate) fn slow_hosts() -> Vec<(Row, Story)> {
    let newest_first = Host { deed: Some(Deed::NewestFirst), ..Host::default() };
    vec![
        (("leaves what a timeout frees",  overlooks(Sight::ItemsBesideWakes), Law::NothingWaits,  "and a host rests that has a free one"), story::one_slot),
        (("serves the newest first",      newest_first,                       Law::NobodyStarves, "and an item of"),                       story::one_after_another),
    ]
}

/// Hosts that are wrong where a worker gives its work back (rule R25).
#[rustfmt::skip]
pub(crate) fn grasping_hosts() -> Vec<Row> {
    vec![
        ("leaves an item with who gave it back", writes(releases::item_kept),               Law::Queue,       "the log says Waiting, and the store Held"),
        ("miscounts how often it was given back", writes(releases::miscounted),             Law::Queue,       "by the log it was given back 1 times, and by the store 0"),
        ("loses what was given back",            writes(releases::release_lost),            Law::NothingLost, "was acknowledged, and is not in the log"),
        ("spends an attempt on what was given back", writes(releases::called_an_expired_lease), Law::NothingLost, "was acknowledged, and is not in the log"),
    ]
}

/// Hosts that are wrong when they fork, as [`slow_hosts`].
#[rustfmt::skip]
pub(crate) fn forking_hosts() -> Vec<(Row, Story)> {
    vec![
        (("names another event",   writes(forks::another_event_named), Law::Linked, "it names another event of its origin"), story::forked_off),
        (("copies another result", writes(forks::copied_otherwise),    Law::Linked, "it is not the one of the origin"),      story::forked_off),
    ]
}

#[test]
fn r25_grasping_hosts_are_found_by_the_law_that_they_break() {
    for (name, host, law, says) in grasping_hosts() {
        let outcome = World::with(host, story::give_back);
        assert_eq!(missed(name, &outcome, law, says), None);
    }
    let right = World::with(Host::default(), story::give_back);
    let all = described("is right", &right);
    assert!(right.found.is_empty() && right.silence.is_none(), "{all}");
}

#[test]
fn forking_hosts_are_found_by_the_law_that_they_break() {
    for ((name, host, law, says), story) in forking_hosts() {
        let missed = missed(name, &World::with(host, story), law, says);
        assert_eq!(missed, None);
        let right = World::with(Host::default(), story);
        let all = described("is right", &right);
        assert!(right.found.is_empty() && right.silence.is_none(), "{all}");
    }
}

#[test]
fn slow_hosts_are_found_by_the_law_that_they_break() {
    for ((name, host, law, says), story) in slow_hosts() {
        let missed = missed(name, &World::with(host, story), law, says);
        assert_eq!(missed, None);
        let right = World::with(Host::default(), story);
        let all = described("is right", &right);
        assert!(right.found.is_empty() && right.silence.is_none(), "{all}");
    }
}

#[test]
fn wrong_hosts_are_found_by_the_law_that_they_break() {
    let all_missed: Vec<String> = wrong_hosts()
        .into_iter()
        .filter_map(|(name, host, law, says)| {
            missed(name, &World::with(host, story::everything), law, says)
        })
        .collect();
    assert!(all_missed.is_empty(), "{}", all_missed.join("\n"));
}

/// A check that no wrong host is found by might find nothing at all. The audit
/// looks at what others look at, too, and is there to agree with them.
#[test]
fn each_law_has_its_wrong_hosts() {
    let slow = slow_hosts().into_iter().chain(forking_hosts());
    let slow = slow.map(|(row, _)| row);
    let hosts: Vec<Row> = wrong_hosts().into_iter().chain(slow).collect();
    for law in Law::ALL {
        let hosts = hosts.iter().filter(|(_, _, finder, _)| *finder == law);
        assert_eq!(hosts.count() == 0, law == Law::Audit, "{law}");
    }
}

#[test]
fn in_the_right_host_nothing_is_found() {
    for file in [false, true] {
        let host = Host {
            file,
            ..Host::default()
        };
        let outcome = World::with(host, story::everything);
        let all = described("is right", &outcome);
        assert!(
            outcome.found.is_empty() && outcome.silence.is_none(),
            "{all}"
        );
    }
}

/// Law 10: a snapshot is a cache. One that does not fit its log misleads neither
/// the host, which is restarted with it, nor the audit; and the host replaces it.
#[test]
fn law10_a_snapshot_of_no_head_misleads_nobody() {
    let host = Host {
        overlooked: &[Law::GuestForLife],
        ..writes(guests::snapshot_of_no_head)
    };
    let outcome = World::with(host, story::everything);
    assert!(outcome.done);
    assert_eq!(outcome.silence, None, "the story comes to its end");
    assert!(outcome.found.is_empty(), "{:?}", outcome.found);
}
