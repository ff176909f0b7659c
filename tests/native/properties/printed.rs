//! What the strategies print.

use proptest::prelude::*;
use refrain_guest::notation::play;
use refrain_guest::strategies::{Workflow, histories, hostile_logs, workflows};

use crate::properties::{fail, holds};

#[test]
fn every_printed_history_plays_and_gives_the_same_log() {
    holds(100, histories(workflows()), |history| {
        let played = play(&history.to_string()).map_err(fail)?;
        prop_assert_eq!(played.world.events, history.log());
        Ok(())
    });
}

#[test]
fn every_printed_workflow_reads_as_itself() {
    holds(300, workflows(), |workflow| {
        let read = Workflow::from_table(&workflow.to_string()).map_err(fail)?;
        prop_assert_eq!(read.text(), workflow.text());
        Ok(())
    });
}

#[test]
fn every_printed_hostile_log_plays_as_it_was_before() {
    holds(50, hostile_logs(), |hostile| {
        let played = play(&hostile.to_string()).map_err(fail)?;
        prop_assert_eq!(played.world.events, hostile.history().log());
        Ok(())
    });
}
