//! Laws 1, 2 and 7: a hostile log gives an error with its sequence, and never
//! a panic.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use refrain_guest::apply::{apply, start};
use refrain_guest::contract::{Event, IllegalEvent, SchedulerError};
use refrain_guest::decide::decide;
use refrain_guest::explain::{Seen, explain};
use refrain_guest::inspect::inspect;
use refrain_guest::notation::{EXECUTION, replay};
use refrain_guest::shell::Scheduler;
use refrain_guest::snapshot;
use refrain_guest::strategies::{Corruption, FoundBy, HostileLog, Workflow, hostile_logs};
use refrain_guest::time::Timestamp;

use crate::properties::holds;

#[test]
fn law1_law7_every_reader_finds_an_event_that_may_not_stand() {
    holds(400, hostile_logs(), |hostile| {
        let found = read(hostile.workflow(), hostile.log());
        match (hostile.found_by(), found) {
            (FoundBy::Reading, found) => {
                let found = found.expect_err("nothing was found");
                prop_assert_eq!(found.sequence, hostile.found_at(), "{}", found.reason);
            }
            // It may be legal; where it is not, it is found there or later.
            (FoundBy::Replaying, Err(found)) => {
                prop_assert!(found.sequence >= hostile.found_at(), "{}", found.reason);
            }
            (FoundBy::Replaying, Ok(())) => {}
        }
        Ok(())
    });
}

#[test]
fn law2_who_replays_finds_every_fault_where_it_is() {
    holds(400, hostile_logs(), |hostile| {
        let found = replay(hostile.workflow().text(), hostile.log());
        let found = found.expect_err("nothing was found");
        prop_assert_eq!(found.sequence, hostile.found_at(), "{}", found.reason);
        Ok(())
    });
}

#[test]
fn law1_the_shell_names_the_sequence_too() {
    holds(200, hostile_logs(), |hostile| {
        let mut world = hostile.history().world().clone();
        world.events = hostile.log().to_vec();
        let found = Scheduler::new().inspect(&mut world, EXECUTION);
        prop_assert_eq!(found.err(), shown(&hostile));
        Ok(())
    });
}

/// That each fault is found proves little if some of them are never made.
#[test]
fn every_fault_is_made() {
    let made = RefCell::new(BTreeSet::new());
    holds(1_500, hostile_logs(), |hostile| {
        made.borrow_mut().insert(hostile.corruption().to_string());
        Ok(())
    });
    let all = Corruption::ALL.map(|corruption| corruption.to_string());
    assert_eq!(made.into_inner(), BTreeSet::from(all));
}

/// What the machine says of the log, as the shell passes it on.
fn shown(hostile: &HostileLog) -> Option<SchedulerError> {
    let found = read(hostile.workflow(), hostile.log());
    found.err().map(SchedulerError::Illegal)
}

/// Read the whole log, and ask all along what would be decided and why.
fn read(workflow: &Workflow, log: &[Event]) -> Result<(), IllegalEvent> {
    let mut machine = start(workflow.plan().clone(), &workflow.digest(), &log[0])?;
    for event in &log[1..] {
        apply(&mut machine, event)?;
        let _ = decide(&machine, Timestamp(event.at), 1);
    }
    for node in &workflow.plan().nodes {
        let _ = explain(&machine, &node.id, &Seen::default());
    }
    let _ = (inspect(&machine), snapshot::take(&machine));
    Ok(())
}
