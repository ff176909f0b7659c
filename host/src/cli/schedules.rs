//! What schedules would have been, beside those that are recorded: for people and for programs.

use std::collections::BTreeMap;
use std::io;

use refrain::names;
use refrain::replay::timeline::Activity;
use refrain::simulation::{Assumed, Assumption, Measures, Simulated, Unended};
use serde::Serialize;

use super::asked::FailedDocument;
use super::gantt;
use super::output::{self, Paint};
use super::text::{Text, counted, text};
use super::time::span;

/// Assumptions that are named; of more, only their number.
const ASSUMPTIONS_SHOWN: usize = 12;

/// Shows what simulations came to, and which executions could not be simulated.
pub(super) fn show(
    simulated: &[Simulated],
    failed: &[(String, anyhow::Error)],
    json: bool,
) -> anyhow::Result<()> {
    let others = simulated.iter().filter(|it| !it.is_same_end()).count();
    if json {
        return output::document(&Document::of(simulated, failed, others));
    }
    output::data(&report(simulated, others, failed.len()));
    Ok(())
}

/// The answer for programs.
#[derive(Serialize)]
struct Document<'a> {
    mode: &'static str,
    summary: SummaryDocument,
    executions: Vec<EachDocument<'a>>,
    failed: Vec<FailedDocument>,
}

#[derive(Serialize)]
struct SummaryDocument {
    simulated: usize,
    other_ends: usize,
    failed: usize,
}

#[derive(Serialize)]
struct EachDocument<'a> {
    execution_id: String,
    workflow_id: &'a str,
    workflow_version: &'a str,
    guest: &'a str,
    recorded: MeasuresDocument,
    simulated: MeasuresDocument,
    same_end: bool,
    same_state: Option<bool>,
    unended: Option<&'static str>,
    assumptions: Vec<AssumptionDocument<'a>>,
}

#[derive(Serialize)]
struct MeasuresDocument {
    status: &'static str,
    took_ms: u64,
    spent_ms: BTreeMap<&'static str, u64>,
    attempts: u64,
    retries: u64,
    at_work_most: u64,
    events: u64,
}

#[derive(Serialize)]
struct AssumptionDocument<'a> {
    node_id: &'a str,
    code: &'static str,
    attempt: Option<u32>,
    detail: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn of(simulated: &'a [Simulated], failed: &[(String, anyhow::Error)], others: usize) -> Self {
        Self {
            mode: "simulated",
            summary: SummaryDocument {
                simulated: simulated.len(),
                other_ends: others,
                failed: failed.len(),
            },
            executions: simulated.iter().map(EachDocument::of).collect(),
            failed: failed.iter().map(FailedDocument::of).collect(),
        }
    }
}

impl<'a> EachDocument<'a> {
    fn of(it: &'a Simulated) -> Self {
        Self {
            execution_id: it.execution_id.to_string(),
            workflow_id: &it.workflow_id,
            workflow_version: &it.workflow_version,
            guest: &it.guest_digest,
            recorded: MeasuresDocument::of(&it.recorded),
            simulated: MeasuresDocument::of(&it.simulated),
            same_end: it.is_same_end(),
            same_state: it.is_same_state,
            unended: it.unended.map(|why| why_unended(why).0),
            assumptions: it.assumptions.iter().map(AssumptionDocument::of).collect(),
        }
    }
}

impl MeasuresDocument {
    fn of(it: &Measures) -> Self {
        Self {
            status: names::status(it.status),
            took_ms: it.took_ms,
            spent_ms: it.spent.iter().map(|(on, ms)| (on.word(), *ms)).collect(),
            attempts: it.attempts,
            retries: it.retries,
            at_work_most: it.at_work_most,
            events: it.events,
        }
    }
}

impl<'a> AssumptionDocument<'a> {
    fn of(it: &'a Assumption) -> Self {
        let (code, attempt, detail) = match &it.what {
            Assumed::Further(attempt) => ("further_attempt", Some(*attempt), None),
            Assumed::Stopped(attempt, _) => ("stopped_attempt", Some(*attempt), None),
            Assumed::Never => ("never_at_work", None, None),
            Assumed::NoLog => ("no_log", None, None),
            Assumed::Refused(attempt, why) => {
                ("answer_refused", Some(*attempt), Some(why.as_str()))
            }
            Assumed::NotDone(what) => ("not_done", None, Some(what.as_str())),
            _ => ("other", None, None),
        };
        Self {
            node_id: &it.node,
            code,
            attempt,
            detail,
        }
    }
}

fn report(simulated: &[Simulated], others: usize, failed: usize) -> Text {
    let colours = output::colours(&io::stdout());
    let mut all: Text = simulated.iter().map(|it| one(it, colours)).collect();
    let took = |measures: fn(&Simulated) -> &Measures| {
        span(simulated.iter().map(|it| measures(it).took_ms).sum())
    };
    let ends = match (others, failed) {
        (0, 0) => Paint::Green.on("all come to the same end", colours),
        (0, _) => text!("{} could not be simulated", failed).painted(Paint::Red, colours),
        _ => text!("{} of them to another end", others).painted(Paint::Red, colours),
    };
    all.push(&text!(
        "simulated, and not proven: {}, {} recorded, {} simulated; {}\n",
        counted(simulated.len() as u64, "execution"),
        took(|it| &it.recorded),
        took(|it| &it.simulated),
        ends
    ));
    all
}

/// Columns of the names of measures, and of each value.
const NAMES: usize = 26;
const VALUES: usize = 14;

fn one(it: &Simulated, colours: bool) -> Text {
    let (recorded, simulated) = (&it.recorded, &it.simulated);
    let row = |name: &str, one: Text, other: Text| {
        let values = text!(
            "{}  {}",
            one.aligned_right(VALUES),
            other.aligned_right(VALUES)
        );
        text!("  {}{}\n", Text::word(name).padded(NAMES), values)
    };
    let number = |name: &str, of: fn(&Measures) -> u64| {
        row(name, text!("{}", of(recorded)), text!("{}", of(simulated)))
    };
    let mut all = text!(
        "{}  {} {}\n",
        it.execution_id,
        it.workflow_id,
        it.workflow_version
    );
    all.push(&row("", text!("recorded"), text!("simulated")));
    let status = |measures: &Measures| Text::word(names::status(measures.status));
    all.push(&row("ends as", status(recorded), status(simulated)));
    let took = |measures: &Measures| text!("{}", span(measures.took_ms));
    all.push(&row("from start to end", took(recorded), took(simulated)));
    let mut activities: Vec<Activity> = recorded.spent.keys().copied().collect();
    activities.extend(simulated.spent.keys());
    activities.sort_unstable();
    activities.dedup();
    for activity in activities {
        let spent =
            |of: &Measures| text!("{}", span(of.spent.get(&activity).copied().unwrap_or(0)));
        all.push(&row(
            gantt::name(activity),
            spent(recorded),
            spent(simulated),
        ));
    }
    all.push(&number("at work at once, at most", |it| it.at_work_most));
    all.push(&number("attempts", |it| it.attempts));
    all.push(&number("of them retries", |it| it.retries));
    all.push(&number("events", |it| it.events));
    if it.is_same_state == Some(false) {
        let other = Paint::Red.on("it ends with another state", colours);
        all.push(&text!("  {}\n", other));
    }
    if let Some(why) = it.unended {
        all.push(&text!("  it has not ended: {}\n", why_unended(why).1));
    }
    for assumption in it.assumptions.iter().take(ASSUMPTIONS_SHOWN) {
        all.push(&text!("  assumed: {}\n", assumed(assumption)));
    }
    if let Some(more) = it.assumptions.len().checked_sub(ASSUMPTIONS_SHOWN)
        && more > 0
    {
        all.push(&text!(
            "  and {} more\n",
            counted(more as u64, "assumption")
        ));
    }
    all.push(&text!("\n"));
    all
}

/// Why a simulation has not ended: a code, and a sentence.
fn why_unended(why: Unended) -> (&'static str, &'static str) {
    match why {
        Unended::TooManyEvents => (
            "too_many_events",
            "it has far more events than were recorded",
        ),
        Unended::TooLong => ("too_long", "it would have gone on for more than a year"),
        Unended::NothingFollows => (
            "nothing_follows",
            "nothing more happens; who is waited for never comes, or it is paused or stalled",
        ),
        _ => ("other", "it was left off"),
    }
}

/// An assumption in a sentence.
fn assumed(it: &Assumption) -> Text {
    let node = &it.node;
    match &it.what {
        Assumed::Further(attempt) => text!(
            "attempt {} of {} was never made; it ends as the last one that was",
            *attempt,
            node
        ),
        Assumed::Stopped(attempt, after) => text!(
            "attempt {} of {} had no answer after {}; it never ends",
            *attempt,
            node,
            span(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
        ),
        Assumed::Never => text!(
            "no answer of {} is recorded; it completes at once, with {{}}",
            node
        ),
        Assumed::NoLog => text!(
            "the log of the child of {} is not at hand; what is known of it is that it began",
            node
        ),
        Assumed::Refused(attempt, why) => text!(
            "the answer to attempt {} of {} is not taken: {}; it fails",
            *attempt,
            node,
            why
        ),
        Assumed::NotDone(what) if node.is_empty() => {
            text!(
                "{} is not done: its time does not come, or it is not taken",
                what
            )
        }
        Assumed::NotDone(what) => text!(
            "{} in {} is not done: its time does not come, or it is not taken",
            what,
            node
        ),
        _ => text!("something else of {}", node),
    }
}
