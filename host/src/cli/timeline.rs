//! `refrain timeline`: where the time of an execution went.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use refrain::names;
use refrain::replay::timeline::{Activity, PathStep, Timeline, Track};
use refrain::store::ended;
use refrain::time::rfc3339;
use serde::Serialize;

use super::gantt::{self, Gantt};
use super::log_source::{GuestArguments, LogArguments, OpenLog, Place};
use super::logged::Logged;
use super::output::{self, Form};
use super::text::{Text, counted, text};
use super::time::{span, stamp};
use super::{Answer, damage, list};

/// Columns of a chart, where nobody says otherwise.
pub(super) const WIDTH: u16 = 80;

/// Show where the time of an execution went: a chart, and the critical path
///
/// A row for each node, with the time in which somebody was at work on it, and in which it
/// waited, and for what. Instances stand in the row of their map. Long times in which nobody
/// was at work are folded.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    /// Show it as it was behind this event
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    /// How wide the chart is, in columns
    #[arg(
        long,
        value_name = "COLUMNS",
        default_value_t = WIDTH,
        value_parser = clap::value_parser!(u16).range(40..=1000)
    )]
    width: u16,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let open = arguments
        .log
        .open(arguments.at, &GuestArguments::default())?;
    let form = match arguments.form.json {
        true => Shape::Json,
        false => Shape::Chart(arguments.width),
    };
    show(open, form)
}

/// How it is shown.
pub(super) enum Shape {
    Json,
    /// In so many columns.
    Chart(u16),
}

/// Shows it of a log that was opened.
pub(super) fn show(mut open: OpenLog, shape: Shape) -> anyhow::Result<Answer> {
    let logged = Logged::of(&mut open)?;
    let events: Vec<_> = logged.events().collect();
    let now = match ended(open.record.status) {
        true => None,
        false => Some(open.now()?),
    };
    let workflow = open.store.workflow(
        &open.record.tenant,
        &open.record.workflow_id,
        &open.record.workflow_version,
    )?;
    let workflow = workflow.map_or(String::new(), |it| it.text);
    let timeline = Timeline::of(&events, &workflow, now);
    match shape {
        Shape::Json => output::document(&Document::of(&timeline, &open))?,
        Shape::Chart(columns) => {
            let colours = output::colours(&std::io::stdout());
            output::data(&text(&timeline, &open, usize::from(columns), colours));
        }
    }
    if let Some(why) = damage::why_set_aside(&open.record, open.to_act_on()) {
        output::tell(&text!("error: {}", why));
    }
    match open.broken_off {
        Some(error) => Err(error),
        None => Ok(Answer::good_if(open.record.tampering.is_none())),
    }
}

fn text(timeline: &Timeline, open: &OpenLog, width: usize, colours: bool) -> Text {
    let (standing, paint) = damage::standing(&open.record);
    let so_far = if ended(open.record.status) {
        ""
    } else {
        " so far"
    };
    let behind = match open.place {
        Some(Place { sequence, last }) => {
            text!("as it was behind event {} of {}\n", sequence, last)
        }
        None => Text::new(),
    };
    let head = text!(
        "{}  {}{}\n{} {}, from {}, {}{}\n{}\n",
        open.record.id,
        standing.painted(paint, colours),
        list::mark(open.store.is_simulated()),
        open.record.workflow_id,
        open.record.workflow_version,
        stamp(timeline.from),
        span(timeline.took_ms()),
        so_far,
        behind
    );
    text!(
        "{}{}\n{}",
        head,
        Gantt::of(timeline, width).text(colours),
        path(timeline)
    )
}

/// Nodes of the critical path that are named: as many as can be read at once.
const NAMED_MAX: usize = 8;

/// The critical path in sentences.
fn path(timeline: &Timeline) -> Text {
    let whole = timeline.took_ms();
    if timeline.critical_path.is_empty() {
        return text!("no node has begun\n");
    }
    let mut spent: Vec<(u64, &str)> = timeline
        .spent()
        .into_iter()
        .map(|(activity, spent_ms)| (spent_ms, gantt::name(activity)))
        .collect();
    spent.push((timeline.idle_ms(), "between its nodes"));
    spent.retain(|(spent_ms, _)| *spent_ms > 0);
    spent.sort_by_key(|(spent_ms, _)| Reverse(*spent_ms));
    let each = spent.iter().map(|(spent_ms, name)| {
        let percent = (u128::from(*spent_ms) * 100).checked_div(u128::from(whole));
        let percent = match percent.unwrap_or(0) {
            0 => "less than 1".to_owned(),
            percent => percent.to_string(),
        };
        text!("  {} {} ({} %)\n", span(*spent_ms), *name, percent)
    });
    text!(
        "the critical path (*) took {}{}\n{}{}",
        span(whole),
        if spent.is_empty() { "" } else { ":" },
        each.collect::<Text>(),
        nodes(&timeline.critical_path)
    )
}

/// The nodes of the critical path, in the order of time; of many, those that took longest.
fn nodes(path: &[PathStep]) -> Text {
    let mut longest: Vec<&PathStep> = path.iter().collect();
    longest.sort_by_key(|step| Reverse(step.took_ms()));
    longest.truncate(NAMED_MAX);
    longest.sort_by_key(|step| (step.from, step.until));
    let each = longest.iter().map(|step| {
        let after = match step.held_ms {
            0 => Text::new(),
            held_ms => text!(", {} after what let it begin", span(held_ms)),
        };
        text!("  {} {}{}\n", span(step.took_ms()), step.node_id, after)
    });
    let count = counted(path.len() as u64, "node");
    let which = match path.len() > NAMED_MAX {
        true => text!("; these took longest"),
        false => Text::new(),
    };
    text!(
        "it leads over {}{}:\n{}",
        count,
        which,
        each.collect::<Text>()
    )
}

#[derive(Serialize)]
struct Document<'a> {
    execution_id: String,
    status: &'static str,
    /// Behind which event it is shown, where that is not as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<Place>,
    from: Option<String>,
    until: Option<String>,
    took_ms: u64,
    nodes: Vec<TrackDocument<'a>>,
    critical_path: Vec<StepDocument<'a>>,
    /// Milliseconds of the critical path, by what they were spent on.
    spent_ms: BTreeMap<&'static str, u64>,
    /// Those in which nothing of it was under way.
    idle_ms: u64,
}

#[derive(Serialize)]
struct TrackDocument<'a> {
    node_id: &'a str,
    state: &'static str,
    since: Option<String>,
    ended_at: Option<String>,
    spans: Vec<SpanDocument>,
}

#[derive(Serialize)]
struct SpanDocument {
    activity: &'static str,
    from: Option<String>,
    until: Option<String>,
}

#[derive(Serialize)]
struct StepDocument<'a> {
    node_id: &'a str,
    from: Option<String>,
    until: Option<String>,
    /// Milliseconds from the end of the node before it to its beginning.
    held_ms: u64,
    spent_ms: BTreeMap<&'static str, u64>,
}

impl<'a> Document<'a> {
    fn of(timeline: &'a Timeline, open: &OpenLog) -> Self {
        Self {
            execution_id: open.record.id.to_string(),
            status: names::status(open.record.status),
            behind: open.place,
            from: rfc3339(timeline.from),
            until: rfc3339(timeline.until),
            took_ms: timeline.took_ms(),
            nodes: timeline.tracks.iter().map(TrackDocument::of).collect(),
            critical_path: timeline
                .critical_path
                .iter()
                .map(StepDocument::of)
                .collect(),
            spent_ms: by_word(&timeline.spent()),
            idle_ms: timeline.idle_ms(),
        }
    }
}

impl<'a> TrackDocument<'a> {
    fn of(track: &'a Track) -> Self {
        let spans = track.spans.iter().map(|span| SpanDocument {
            activity: span.activity.word(),
            from: rfc3339(span.from),
            until: rfc3339(span.until),
        });
        Self {
            node_id: &track.id,
            state: names::node_state(track.state),
            since: track.since.and_then(rfc3339),
            ended_at: track.ended_at.and_then(rfc3339),
            spans: spans.collect(),
        }
    }
}

impl<'a> StepDocument<'a> {
    fn of(step: &'a PathStep) -> Self {
        Self {
            node_id: &step.node_id,
            from: rfc3339(step.from),
            until: rfc3339(step.until),
            held_ms: step.held_ms,
            spent_ms: by_word(&step.spent),
        }
    }
}

fn by_word(spent: &BTreeMap<Activity, u64>) -> BTreeMap<&'static str, u64> {
    let each = spent.iter();
    each.map(|(activity, spent_ms)| (activity.word(), *spent_ms))
        .collect()
}
