//! Generated histories, sound and forged.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use refrain::guest::{InMemoryExecution, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::log::kind_name;
use refrain::model::{Event, EventKind, Origin};
use refrain::replay::{MinimizeError, Recording, Verdict, minimize};
use refrain_guest::strategies::{History, histories, workflows};
use refrain_tests::memory_ports::across;
use refrain_tests::{notation, runner};

use super::guests::{Guests, digest, kind_of, recording};

/// Whatever happened: what is left is a log of our scheduler, from which the other one parts
/// in the same way, and a table that ours plays.
#[test]
fn any_history_becomes_a_smaller_one() {
    let guests = RefCell::new(Guests::new());
    let (found, tables) = (RefCell::new(0), RefCell::new(0));
    let tried = runner(150).run(&histories(workflows()), |history| {
        let guests = &mut *guests.borrow_mut();
        let log = played(guests, &history).map_err(TestCaseError::fail)?;
        let other = guests.other.clone();
        let verdicts = [None, Some(other.as_str())].map(|asked| guests.audit(&log, asked).verdict);
        if verdicts != [Verdict::Clean, Verdict::Divergent] {
            return Ok(());
        }
        let small = guests.smaller(&log, &other);
        *found.borrow_mut() += 1;
        prop_assert!(small.after.events < 30, "{:?}", small.table);
        if let Ok(table) = &small.table {
            *tables.borrow_mut() += 1;
            notation::play(table).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    let (found, tables) = (found.into_inner(), tables.into_inner());
    println!("{found} logs, {tables} tables");
    assert!(found > 20 && tables * 10 > found * 9, "{found} {tables}");
}

/// Whatever is decided last of each kind, and is missing in a log or is another's: what is
/// left of that log is as wrong, and small.
#[test]
fn any_forged_history_becomes_a_smaller_one() {
    let guests = RefCell::new(Guests::new());
    let found = RefCell::new(BTreeMap::<&'static str, (u32, u64)>::new());
    let tried = runner(40).run(&histories(workflows()), |history| {
        let guests = &mut *guests.borrow_mut();
        let log = played(guests, &history).map_err(TestCaseError::fail)?;
        if guests.audit(&log, None).verdict != Verdict::Clean {
            return Ok(());
        }
        let mut last = BTreeMap::new();
        for (place, stored) in log.events.iter().enumerate() {
            if stored.event.origin == Origin::Decision {
                last.insert(kind_name(&stored.event.kind), place);
            }
        }
        for (kind, place) in last {
            let mut events: Vec<Event> = log.events.iter().map(|it| it.event.clone()).collect();
            events.truncate(place);
            let forged = recording(&log.workflow, events);
            if guests.audit(&forged, None).verdict == Verdict::Clean {
                // Time had passed before it, and in the log it has not.
                continue;
            }
            let small = minimize(&mut guests.library, &forged, None, &mut |_| true);
            let small = match small {
                Ok(small) => small,
                // A fork is not always what an execution of its own can be.
                Err(MinimizeError::NotReproduced { .. }) if is_fork(&log) => continue,
                Err(error) => return Err(TestCaseError::fail(format!("{kind}: {error}"))),
            };
            let after = guests.audit(&small.recording, None);
            let expected = after
                .divergence
                .as_ref()
                .and_then(|it| kind_of(&it.expected));
            prop_assert_eq!(expected.as_deref(), Some(kind));
            let mut found = found.borrow_mut();
            let (count, most) = found.entry(kind).or_default();
            *count += 1;
            *most = small.after.events.max(*most);
        }
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    let found = found.into_inner();
    println!("kinds, how many, most events of one: {found:?}");
    assert!(found.len() > 10, "{found:?}");
    assert!(found.values().all(|(_, most)| *most <= 20), "{found:?}");
}

fn is_fork(log: &Recording) -> bool {
    let mut kinds = log.events.iter().map(|it| &it.event.kind);
    kinds.any(|kind| matches!(kind, EventKind::ExecutionForked(_)))
}

/// The history with our component: it is offered the same facts in the same turns.
fn played(guests: &mut Guests, history: &History) -> Result<Recording, String> {
    let mut ports = MemoryPorts::new(history.workflow().text(), 0);
    let mut started = None;
    let turns = history.turns().iter().map(|turn| {
        let facts = turn
            .offered()
            .into_iter()
            .map(|fact| ours_in(across(&fact), &guests.ours));
        (turn.at, facts.collect::<Vec<EventKind>>())
    });
    let mut turns: Vec<(u64, Vec<EventKind>)> = turns.collect();
    if let Some((at, facts)) = turns.first_mut() {
        ports.now = *at;
        started = Some(facts.remove(0));
    }
    let Some(EventKind::WorkflowStarted(mut started)) = started else {
        return Err("it does not begin with a start".to_owned());
    };
    started.guest_digest = digest(&guests.ours);
    let instance = guests
        .library
        .instance(&guests.ours)
        .map_err(|error| error.to_string())?;
    let run = InMemoryExecution::start(instance, ports, *started);
    let mut run = run.map_err(|error| error.to_string())?;
    for (at, facts) in turns {
        run.ports.now = at;
        let mut outcome = run.step(&facts).map_err(|error| error.to_string())?;
        while outcome.more {
            outcome = run.step(&[]).map_err(|error| error.to_string())?;
        }
    }
    let events = run.ports.events;
    let is_decided = |event: &Event| event.origin == Origin::Decision;
    if !events.iter().any(is_decided) {
        return Err("nothing is decided in it".to_owned());
    }
    Ok(recording(history.workflow().text(), events))
}

/// The same fact; a child that it names is one of our execution, and so is its scheduler.
fn ours_in(mut fact: EventKind, ours: &str) -> EventKind {
    let parent: ExecutionId = notation::EXECUTION.to_string().parse().expect("an id");
    let child = |node: &str, attempt, iteration| {
        ExecutionId::of_child(parent, node, attempt, iteration).to_string()
    };
    match &mut fact {
        EventKind::ChildStarted(it) => {
            it.child_id = child(&it.node_id, it.attempt, it.iteration);
        }
        EventKind::ChildEnded(it) => it.child_id = child(&it.node_id, it.attempt, it.iteration),
        EventKind::GuestChanged(it) => it.guest_digest = digest(ours),
        _ => {}
    }
    fact
}
