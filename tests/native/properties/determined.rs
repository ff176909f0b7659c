//! Laws 2, 3 and 10: the log determines everything, and a cache nothing.

use proptest::prelude::*;
use refrain_guest::apply::apply;
use refrain_guest::decide::{decide, drain};
use refrain_guest::inspect::inspect;
use refrain_guest::notation::{EXECUTION, Memory, replay};
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

/// At each event, whoever has read the log, and whoever decided part of it,
/// decides the same next, now and later.
#[test]
fn law2_who_reads_a_log_decides_as_who_wrote_it() {
    holds(60, lives(), |history| {
        let mut writer = begun(history.workflow(), &history.log()[0]);
        for turn in history.turns() {
            for fact in turn.facts.iter().filter(|fact| fact.sequence > 1) {
                apply(&mut writer, fact).expect("the fact is legal");
            }
            for tick in &turn.ticks {
                let batch = drain(&mut writer, Timestamp(turn.at)).expect("it decides");
                prop_assert_eq!(&batch.events, tick);
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

/// Whatever fact is admitted, its outcome says whether a tick would append
/// anything now; and where it would not, the outcome is that tick's.
#[test]
fn law2_a_fact_foretells_the_tick_after_it() {
    holds(120, lives(), |history| {
        let mut world = empty(&history);
        let mut scheduler = Scheduler::new();
        for turn in history.turns() {
            world.now = turn.at;
            for fact in &turn.facts {
                let admitted = scheduler.admit(&mut world, EXECUTION, fact);
                let foretold = admitted.map_err(|error| fail(format!("{error:?}")))?;
                world.append_fact(fact.clone());
                let mut ticked = world.clone();
                let last = world.events.len();
                let came = Scheduler::new().tick(&mut ticked, EXECUTION, last as u64);
                let came = came.map_err(|error| fail(format!("{error:?}")))?;
                prop_assert_eq!(foretold.more, ticked.events.len() > last);
                prop_assert!(foretold.more || foretold == came, "{:?}", came);
                prop_assert_eq!(foretold.last_sequence, last as u64);
            }
            for _ in &turn.ticks {
                let last = world.events.len() as u64;
                let ticked = scheduler.tick(&mut world, EXECUTION, last);
                ticked.map_err(|error| fail(format!("{error:?}")))?;
            }
        }
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
            for fact in &turn.facts {
                befall(&mut scheduler, &mut world);
                let admitted = scheduler.admit(&mut world, EXECUTION, fact);
                admitted.map_err(|error| fail(format!("{error:?}")))?;
                world.append_fact(fact.clone());
            }
            for _ in &turn.ticks {
                befall(&mut scheduler, &mut world);
                let last = world.events.len() as u64;
                let ticked = scheduler.tick(&mut world, EXECUTION, last);
                ticked.map_err(|error| fail(format!("{error:?}")))?;
            }
        }
        prop_assert_eq!(world.events, history.log());
        Ok(())
    });
}
