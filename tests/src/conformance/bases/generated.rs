//! Logs of histories that nobody has thought of.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use proptest::strategy::{Strategy, ValueTree};
use refrain::ExecutionId;
use refrain::guest::Library;
use refrain::log::kind_name;
use refrain::replay::Verdict;
use refrain_guest::strategies::{History, histories, workflows};

use super::super::judge::audited;
use super::super::source::Source;
use super::written;
use crate::memory_ports::across;
use crate::runner;

/// How many of them there are.
const COUNT: u8 = 24;

/// Logs that are shorter show little, and longer ones take much room.
const EVENTS: std::ops::RangeInclusive<usize> = 12..=44;

/// So many histories are looked at, at most.
const TRIED_MAX: usize = 4000;

/// Histories that differ in the kinds of events that they have.
pub(super) fn all(library: &Library) -> Result<Vec<Source>> {
    let guest = library.built_in().parse()?;
    let strategy = histories(workflows());
    let mut runner = runner(1);
    let (mut sources, mut seen) = (Vec::new(), BTreeSet::new());
    for _ in 0..TRIED_MAX {
        let tree = strategy.new_tree(&mut runner).map_err(anyhow::Error::msg);
        let history = tree.context("no history is generated")?.current();
        if !EVENTS.contains(&history.log().len()) || !seen.insert(kinds(&history)) {
            continue;
        }
        let number = u8::try_from(sources.len())? + 0xa0;
        let id = ExecutionId::from_bytes([number; 16]);
        let name = format!("generated_{:02}", sources.len() + 1);
        let text = history.workflow().text();
        let log = written::native((id, guest), text, history.log())?;
        // What a workflow in place is called has no place in a history.
        if audited(library, &name, log.as_bytes())?.verdict != Some(Verdict::Clean) {
            continue;
        }
        sources.push(Source::new(&name, "a history that was generated", &log)?);
        if sources.len() == usize::from(COUNT) {
            return Ok(sources);
        }
    }
    ensure!(false, "only {} histories were fit", sources.len());
    Ok(sources)
}

fn kinds(history: &History) -> BTreeSet<&'static str> {
    let events = history.log().iter();
    events
        .map(|event| kind_name(&across(&event.kind)))
        .collect()
}
