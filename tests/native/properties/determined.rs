//! Laws 2, 3 and 10: the log determines everything, and a cache nothing.

use std::ops::Range;

use proptest::prelude::*;
use refrain_guest::apply::apply;
use refrain_guest::contract::{Event, EventKind, ItemDigest, RefusalCode};
use refrain_guest::decide::{decide, drain};
use refrain_guest::inspect::inspect;
use refrain_guest::notation::{EXECUTION, Memory, name_items, replay, step};
use refrain_guest::shell::Scheduler;
use refrain_guest::snapshot;
use refrain_guest::time::Timestamp;

use crate::properties::machines::{begun, empty, read};
use crate::properties::{fail, holds, lives};

#[test]
fn law2_the_same_log_gives_the_same_decisions() {
    holds(150, lives(), |history| {
        replay(history.workflow().text(), history.log())
            .map_err(|illegal| fail(format!("{illegal:?}")))
    });
}

/// At each event, a guest that has read the log, and one that decided part of it,
/// decides the same next, now and later.
#[test]
fn law2_who_reads_a_log_decides_as_who_wrote_it() {
    holds(60, lives(), |history| {
        let mut writer = begun(history.workflow(), &history.log()[0]);
        for turn in history.turns() {
            for fact in turn.facts.iter().filter(|fact| fact.sequence > 1) {
                apply(&mut writer, fact).expect("the fact is legal");
            }
            for step in &turn.steps {
                let mut batch = drain(&mut writer, Timestamp(turn.at)).expect("it decides");
                name_items(&mut batch);
                prop_assert_eq!(&batch.events, step);
            }
            let length = usize::try_from(writer.sequence()).expect("it is small");
            let reader = read(history.workflow(), &history.log()[..length]);
            prop_assert_eq!(inspect(&reader), inspect(&writer));
            for later in [0, 1, 1_000, 1_000_000] {
                let now = Timestamp(turn.at + later);
                prop_assert_eq!(decide(&reader, now, 8), decide(&writer, now, 8));
            }
        }
        Ok(())
    });
}

/// When there is no more, a further step at the same time comes to nothing.
#[test]
fn law2_a_step_is_complete() {
    holds(120, lives(), |history| {
        let mut world = empty(&history);
        let mut scheduler = Scheduler::new();
        for turn in history.turns() {
            world.now = turn.at;
            let mut facts = turn.offered();
            for (place, decided) in turn.steps.iter().enumerate() {
                let offered = std::mem::take(&mut facts);
                let before = world.events.len() + offered.len();
                let stepped = step(&mut world, &mut scheduler, offered);
                let stepped = stepped.map_err(|error| fail(format!("{error:?}")))?;
                prop_assert_eq!(&world.events[before..], decided);
                prop_assert_eq!(stepped.more, place + 1 < turn.steps.len());
                let mut again = world.clone();
                let nothing = step(&mut again, &mut Scheduler::new(), Vec::new());
                let nothing = nothing.map_err(|error| fail(format!("{error:?}")))?;
                prop_assert_eq!(stepped.more, again.events.len() > world.events.len());
                prop_assert!(stepped.more || nothing == stepped, "{:?}", nothing);
            }
        }
        Ok(())
    });
}

/// A fact that may not stand is refused alone: those offered with it are taken,
/// and what is decided is what they lead to.
#[test]
fn law2_an_illegal_fact_is_refused_alone() {
    let places = prop::collection::vec(any::<u8>(), 1..20);
    holds(120, (lives(), places), |(history, places)| {
        let mut world = empty(&history);
        let mut scheduler = Scheduler::new();
        let mut places = places.iter().cycle();
        let before_the_fork = before_the_fork(history.log());
        for turn in history.turns() {
            world.now = turn.at;
            let mut facts = turn.offered();
            // Nothing begins twice. Where it begins, that comes first.
            let again = history.log()[0].kind.clone();
            let least = usize::from(world.events.is_empty());
            let place = usize::from(*places.next().expect("it goes round"));
            let place = least + place % (facts.len() + 1 - least);
            // Nothing else follows where a fork has to go its own way.
            let code = match before_the_fork.contains(&(world.events.len() + place)) {
                true => RefusalCode::Unfounded,
                false => RefusalCode::WrongStart,
            };
            facts.insert(place, again);
            for _ in &turn.steps {
                let offered = std::mem::take(&mut facts);
                let expected: &[_] = if offered.is_empty() {
                    &[]
                } else {
                    &[(place as u32, code)]
                };
                let stepped = step(&mut world, &mut scheduler, offered);
                let refused = stepped.map_err(|error| fail(format!("{error:?}")))?.refused;
                let refused: Vec<_> = refused.iter().map(|it| (it.index, it.code)).collect();
                prop_assert_eq!(refused, expected);
            }
        }
        prop_assert_eq!(world.events, history.log());
        Ok(())
    });
}

/// How many events there are where the log is to go its own way, and does not yet.
fn before_the_fork(log: &[Event]) -> Range<usize> {
    let EventKind::WorkflowStarted(started) = &log[0].kind else {
        return 0..0;
    };
    let Some(origin) = &started.forked_from else {
        return 0..0;
    };
    let common = usize::try_from(origin.sequence).expect("it is small");
    let forks = |event: &Event| matches!(event.kind, EventKind::ExecutionForked(_));
    let fork = log[common..].iter().position(forks);
    common..common + fork.expect("a fork goes its own way") + 1
}

/// What a machine holds never depends on the digests of work items.
#[test]
fn law3_the_digests_of_items_are_not_read() {
    holds(60, lives(), |history| {
        let mut log = history.log().to_vec();
        for event in &mut log {
            match &mut event.kind {
                EventKind::NodeScheduled(it) => it.item_digest = ItemDigest::default(),
                EventKind::RetryScheduled(it) => it.item_digest = ItemDigest::default(),
                _ => {}
            }
        }
        let (workflow, whole) = (history.workflow(), history.log());
        let (without, with) = (read(workflow, &log), read(workflow, whole));
        prop_assert_eq!(snapshot::take(&without), snapshot::take(&with));
        Ok(())
    });
}

#[test]
fn law3_a_snapshot_and_the_rest_is_the_whole_log() {
    holds(120, (lives(), any::<[u16; 3]>()), |(history, cuts)| {
        let (workflow, log) = (history.workflow(), history.log());
        let whole = read(workflow, log);
        for cut in cuts {
            let (seen, rest) = log.split_at(1 + usize::from(cut) % log.len());
            let before = read(workflow, seen);
            let restored = snapshot::restore(
                workflow.plan().clone(),
                &workflow.digest(),
                &snapshot::take(&before),
            );
            let mut machine = restored.map_err(fail)?;
            prop_assert_eq!(inspect(&machine), inspect(&before));
            prop_assert_eq!(
                decide(&machine, Timestamp(999_999), 8),
                decide(&before, Timestamp(999_999), 8)
            );
            for event in rest {
                apply(&mut machine, event).expect("the log is legal");
            }
            prop_assert_eq!(snapshot::take(&machine), snapshot::take(&whole));
        }
        Ok(())
    });
}

/// What happens to the cache before a call.
#[derive(Clone, Copy, Debug)]
enum Cache {
    Kept,
    Dropped,
    Restored,
}

#[test]
fn law10_the_cache_may_be_dropped_at_any_point() {
    let fates = prop::collection::vec(
        prop::sample::select(&[Cache::Kept, Cache::Dropped, Cache::Restored][..]),
        1..20,
    );
    holds(120, (lives(), fates), |(history, fates)| {
        let mut world = empty(&history);
        let mut scheduler = Scheduler::new();
        let mut fates = fates.iter().cycle();
        let mut befall = |scheduler: &mut Scheduler, world: &mut Memory| match fates.next() {
            Some(Cache::Dropped) => scheduler.forget(EXECUTION),
            Some(Cache::Restored) if !world.events.is_empty() => {
                world.snapshot = scheduler.snapshot(world, EXECUTION).ok();
                scheduler.forget(EXECUTION);
            }
            _ => {}
        };
        for turn in history.turns() {
            world.now = turn.at;
            let mut facts = turn.offered();
            for _ in &turn.steps {
                befall(&mut scheduler, &mut world);
                let offered = std::mem::take(&mut facts);
                let stepped = step(&mut world, &mut scheduler, offered);
                stepped.map_err(|error| fail(format!("{error:?}")))?;
            }
        }
        prop_assert_eq!(world.events, history.log());
        Ok(())
    });
}
