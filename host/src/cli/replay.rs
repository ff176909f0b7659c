//! `refrain replay`: a debugger over the log of an execution.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Result;
use refrain::id::ExecutionId;

use super::coded::refuse;
use super::debugger::{self, Level};
use super::log_source::{GuestArguments, LogArguments, OpenLog};
use super::text::text;
use super::{Answer, damage, output, timeline};

/// Move through the log of an execution, on the whole screen
///
/// The graph, the events, the state, why a node is where it is, and what is under way, as
/// they were behind any event. The scheduler that made the log is asked, and nothing is
/// written. `?` tells the keys. Where there is no terminal, a timeline is printed.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    guests: GuestArguments,
    /// Begin behind this event, and not behind the last
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    /// Keep up with an execution that goes on
    #[arg(long, conflicts_with = "file")]
    follow: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer> {
    if !debugger::can_be_shown() {
        let open = arguments.log.open(arguments.at, &arguments.guests)?;
        return timeline::show(open, timeline::Shape::Chart(timeline::WIDTH));
    }
    let log = &arguments.log;
    // What a log that was tampered with says is shown, and not believed.
    let tampered = RefCell::new(BTreeMap::new());
    let level_of = |open: OpenLog| {
        let id = open.record.id;
        if let Some(why) = damage::why_set_aside(&open.record, open.to_act_on()) {
            tampered.borrow_mut().insert(id, why);
        }
        level_of(open)
    };
    let mut level = level_of(log.open(None, &arguments.guests)?)?;
    if let Some(at) = arguments.at {
        if at > level.last() {
            refuse!(
                "no_event",
                "the log of {} has {} events, and {at} is none of them; give 0 to {}",
                level.id,
                level.last(),
                level.last()
            );
        }
        level.go(at);
        level.choose_node_of_event();
    }
    let mut open_child = |child: ExecutionId| match log.open_child(child)? {
        Some(open) => level_of(open),
        None => refuse!(
            "no_child_log",
            "the log of the child {child} is not in this file: export it, and name that file"
        ),
    };
    let mut grown = |last: u64| {
        let open = log.open(None, &arguments.guests)?;
        match open.record.head.sequence > last {
            true => level_of(open).map(Some),
            false => Ok(None),
        }
    };
    let grown: Option<&mut debugger::Grown<'_>> = match arguments.follow {
        true => Some(&mut grown),
        false => None,
    };
    debugger::run(level, &mut open_child, grown)?;
    let tampered = tampered.borrow();
    for why in tampered.values() {
        output::tell(&text!("error: {}", why));
    }
    Ok(Answer::good_if(tampered.is_empty()))
}

fn level_of(open: OpenLog) -> Result<Level> {
    let name = format!(
        "{} {}",
        open.record.workflow_id, open.record.workflow_version
    );
    let tampered_at = open.record.tampering.as_ref().map(|it| it.sequence);
    Ok(Level::of(open.into_travel()?, name, tampered_at))
}
