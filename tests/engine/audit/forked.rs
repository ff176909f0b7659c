//! What is done to a fork, and what an audit says that has its origin too (law 11). Each
//! log is whole in itself: it is chained anew.

use refrain::Fork;
use refrain::log::Salt;
use refrain::model::{Digest, Event, EventKind};
use refrain::replay::{Audit, LinkState, Recording, Verdict};
use refrain::{Engine, WorkItem};
use refrain_tests::engines::{Place, engine, start};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::linked::{audit_with, changed, recording, started};

/// An execution, and a fork of it that has its first six events in common with it.
pub(super) async fn forked() -> (Recording, Recording) {
    let place = Place::memory();
    let engine = engine(&place).await;
    engine.work("tool", |item: WorkItem| async move {
        Ok(json!({ item.node_id: true }))
    });
    let origin = start(&engine, &tools("a -> b, a -> c")).await;
    origin.finished().await.expect("it ends");
    let fork = engine.fork(Fork::of(origin.id()).at(6)).await;
    let fork = fork.expect("a fork");
    assert_eq!(fork.common, 6);
    fork.execution.finished().await.expect("it ends");
    let found = (
        recording(&place, origin.id()),
        recording(&place, fork.execution.id()),
    );
    Engine::shutdown(&engine).await;
    found
}

/// The audit of the fork's log after this was done to its events and salts.
fn audit(
    origin: &Recording,
    fork: &Recording,
    deed: impl FnOnce(&mut Vec<(Event, Salt)>),
) -> Audit {
    audit_with(origin, &changed(fork, deed))
}

fn link(events: &mut [(Event, Salt)]) -> &mut refrain::model::ForkOrigin {
    started(events).forked_from.as_mut().expect("it is a fork")
}

type Deed = fn(&mut Vec<(Event, Salt)>);

#[tokio::test]
async fn law11_a_fork_that_is_not_of_its_origin_is_named() {
    let (origin, fork) = forked().await;
    let clean = audit(&origin, &fork, |_| {});
    assert_eq!(clean.verdict, Verdict::Clean, "{:?}", clean.divergence);
    let is = clean.forked_from.expect("it is a fork");
    assert_eq!((is.link, is.sequence), (LinkState::Linked, 6));

    let deeds: [(&str, u64, Deed); 10] = [
        ("another head", 1, |events| {
            link(events).head = Digest([7; 32]);
        }),
        ("another last event", 1, |events| link(events).sequence = 5),
        ("a last event that is not there", 1, |events| {
            link(events).sequence = 700;
        }),
        ("another seed", 1, |events| started(events).seed ^= 1),
        ("another tenant", 1, |events| {
            started(events).tenant = "other".to_owned();
        }),
        ("another input", 1, |events| {
            started(events).initial_input = "7".to_owned();
        }),
        ("another time of event 1", 1, |events| events[0].0.at -= 1),
        ("an edited result", 4, |events| {
            if let EventKind::NodeCompleted(it) = &mut events[3].0.kind {
                it.output = "7".to_owned();
            }
        }),
        ("another salt", 3, |events| events[2].1[0] ^= 1),
        ("another worker", 3, |events| {
            if let EventKind::NodeStarted(it) = &mut events[2].0.kind {
                it.worker_id = "nobody".to_owned();
            }
        }),
    ];
    for (what, sequence, deed) in deeds {
        let audit = audit(&origin, &fork, deed);
        assert_eq!(audit.verdict, Verdict::Tampered, "{what}");
        let divergence = audit.divergence.expect("it says what is wrong");
        assert_eq!(divergence.sequence, sequence, "{what}: {divergence:?}");
        let link = audit.forked_from.expect("it is a fork");
        assert_eq!(link.link, LinkState::Broken, "{what}");
    }
}

#[tokio::test]
async fn law11_a_fork_that_cuts_a_batch_apart_or_goes_no_way_of_its_own_is_named() {
    let (origin, fork) = forked().await;
    let cut = audit(&origin, &fork, |events| {
        let head = Digest(origin.events[4].hash);
        let link = link(events);
        (link.sequence, link.head) = (5, head);
        events.remove(5);
    });
    assert_eq!(cut.verdict, Verdict::Tampered);
    let divergence = cut.divergence.expect("it says what is wrong");
    assert_eq!(divergence.sequence, 5, "{divergence:?}");

    let same = audit(&origin, &fork, |events| events.truncate(6));
    assert_eq!(same.verdict, Verdict::Tampered);
    assert_eq!(same.divergence.map(|it| it.sequence), Some(7));

    let without = audit(&origin, &fork, |events| drop(events.remove(6)));
    assert!(!without.verdict.is_good(), "{without:?}");
}

#[tokio::test]
async fn law11_an_origin_that_is_not_sound_is_no_fault_of_the_fork() {
    let (mut origin, fork) = forked().await;
    origin.events[3].event.at += 1;
    origin.broken_link = Some(refrain::replay::BrokenLink {
        place: 3,
        expected: [7; 32],
    });
    let audit = audit(&origin, &fork, |_| {});
    assert_eq!(audit.verdict, Verdict::Clean);
    let link = audit.forked_from.expect("it is a fork");
    assert_eq!(link.link, LinkState::OriginUnsound);
}
