//! `refrain diff`: two logs, side by side.

use refrain::log::kind_name;
use refrain::names;
use refrain::replay::comparison::{Attempt, Comparison};
use refrain::replay::{Difference, TravelError, differences, node_of};
use serde_json::Value;

use super::coded::refuse;
use super::database::Database;
use super::log_source::{GuestArguments, LogArguments, OpenLog, Place};
use super::output::{self, Form, Paint};
use super::table::{Table, plain};
use super::text::{Text, text};
use super::time::span;
use super::{Answer, compared, damage, list};

/// Compare two executions: where their logs part, and what came of it
///
/// Each is an execution, or a log in a file: what ends in `.ndjson`, has a `/` in it, or is
/// `-`. Logs are alike where the same happened in the same order; ids, times and workers are
/// not compared.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The one
    #[arg(value_name = "A")]
    one: String,
    /// The other
    #[arg(value_name = "B")]
    other: String,
    /// Compare both as they were behind this event
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    /// Answer 1 if they part
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

/// Rows of the table of attempts: more than anyone reads.
const ROWS_MAX: usize = 200;

/// Places that are printed of two states: more than anyone reads.
const PLACES_MAX: usize = 50;

/// How wide a value is printed, in columns.
const VALUE_MAX: usize = 60;

/// All that is said of both.
pub(super) struct Sides {
    pub(super) open: [OpenLog; 2],
    pub(super) comparison: Comparison,
    /// The places in which the states at their ends differ; or why a scheduler cannot tell a
    /// state.
    pub(super) states: Result<Vec<Difference>, String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    if arguments.one == "-" && arguments.other == "-" {
        refuse!(
            "usage",
            "stdin can be read once; write one of the logs to a file"
        );
    }
    let sides = Sides::open(arguments)?;
    if arguments.form.json {
        output::document(&compared::document(&sides))?;
    } else {
        let colours = output::colours(&std::io::stdout());
        output::data(&sides.text(colours));
    }
    let parts = sides.comparison.parting.is_some();
    Ok(Answer::good_if(!(arguments.exit_code && parts)))
}

impl Sides {
    fn open(arguments: &Arguments) -> anyhow::Result<Self> {
        let open = |operand: &str| -> anyhow::Result<OpenLog> {
            let log = LogArguments::named(operand, &arguments.database)?;
            let open = log.open(arguments.at, &GuestArguments::default())?;
            match damage::why_set_aside(&open.record, open.to_act_on()) {
                Some(why) => refuse!(
                    "log_tampered",
                    "{} cannot be compared: {}",
                    open.record.id,
                    why.as_str()
                ),
                None => Ok(open),
            }
        };
        let mut open = [open(&arguments.one)?, open(&arguments.other)?];
        let [one, other] = &mut open;
        let recordings = [one.recording()?, other.recording()?];
        let events = recordings.each_ref().map(|recording| {
            let events = recording.events.iter();
            events.map(|stored| &stored.event).collect::<Vec<_>>()
        });
        let comparison = Comparison::of(&events[0], &events[1]);
        let states = match [state(one)?, state(other)?] {
            [Ok(one), Ok(other)] => Ok(differences(&one, &other)),
            [Err(why), _] | [_, Err(why)] => Err(why),
        };
        Ok(Self {
            open,
            comparison,
            states,
        })
    }

    fn text(&self, colours: bool) -> Text {
        let mut text = Text::new();
        for (name, open) in ["A", "B"].into_iter().zip(&self.open) {
            let (standing, paint) = damage::standing(&open.record);
            text.push(&text!(
                "{}  {}  {}{}, {} {}, {}, {}\n",
                name,
                open.record.id,
                standing.painted(paint, colours),
                list::mark(open.store.is_simulated()),
                open.record.workflow_id,
                open.record.workflow_version,
                match open.place {
                    Some(Place { sequence, last }) => {
                        text!("the first {} of {} events", sequence, last)
                    }
                    None => text!("{} events", open.record.head.sequence),
                },
                span(open.record.last_at.saturating_sub(open.record.started_at))
            ));
        }
        text.push(&self.parting());
        if !self.comparison.attempts.is_empty() {
            text.push(&text!("\n{}", self.table().text(2, colours)));
            let more = self.comparison.attempts.len().saturating_sub(ROWS_MAX);
            if more > 0 {
                text.push(&text!("and {} more, which --json shows\n", more));
            }
        }
        text.push(&self.state_text());
        text
    }

    /// Where they part.
    fn parting(&self) -> Text {
        let alike = self.comparison.alike;
        let Some(both) = &self.comparison.parting else {
            return text!("the same happened in both\n");
        };
        let mut text = match alike {
            0 => text!("they part at event 1:\n"),
            alike => text!(
                "they are alike up to event {}, and part at event {}:\n",
                alike,
                alike + 1
            ),
        };
        for (name, event) in ["A", "B"].into_iter().zip(both) {
            text.push(&match event {
                Some(event) => text!(
                    "  {}  {}{}\n",
                    name,
                    kind_name(&event.kind),
                    node_of(&event.kind).map_or(Text::new(), |node| text!(" {}", node))
                ),
                None => text!("  {}  has no further event\n", name),
            });
        }
        // Where the kinds differ, nothing else need be alike.
        let is_of_one_kind = self
            .comparison
            .differences
            .iter()
            .all(|it| it.pointer != "/type");
        if is_of_one_kind {
            text.push(&places(&self.comparison.differences));
        }
        text
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["", "NODE", "ATTEMPT", "A", "TOOK", "B", "TOOK"]);
        for pair in self.comparison.attempts.iter().take(ROWS_MAX) {
            let [a, b] = pair.both.each_ref().map(Option::as_ref);
            table.row([
                plain(if pair.is_alike() { "" } else { "*" }),
                plain(&pair.node_id),
                plain(match pair.attempt {
                    0 => String::new(),
                    attempt => attempt.to_string(),
                }),
                state_cell(a),
                plain(a.map_or(String::new(), took)),
                state_cell(b),
                plain(b.map_or(String::new(), took)),
            ]);
        }
        table
    }

    fn state_text(&self) -> Text {
        match &self.states {
            Err(why) => text!("\ntheir states cannot be compared: {}\n", why),
            Ok(differences) if differences.is_empty() => text!("\ntheir states are the same\n"),
            Ok(differences) => text!("\ntheir states differ:\n{}", places(differences)),
        }
    }
}

/// The state of an execution at the end of its log, or why it cannot be told.
fn state(open: &mut OpenLog) -> anyhow::Result<Result<Value, String>> {
    let mut travel = match open.travel() {
        Ok(travel) => travel,
        Err(error) if error.is::<TravelError>() => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    Ok(match travel.state() {
        Ok(state) => Ok(serde_json::from_str(state.as_str())?),
        Err(error) => Err(error.to_string()),
    })
}

fn took(attempt: &Attempt) -> String {
    span(attempt.took_ms())
}

fn state_cell(attempt: Option<&Attempt>) -> (Text, Paint) {
    match attempt {
        Some(it) => (
            Text::word(&names::node_state(it.state).replace('_', " ")),
            Paint::of_node(it.state),
        ),
        None => plain("-"),
    }
}

/// Places in which two values differ, with what stands there.
fn places(differences: &[Difference]) -> Text {
    let value = |value: &Option<Value>| match value {
        Some(value) => Text::json_line(&value.to_string()).cut(VALUE_MAX),
        None => text!("nothing"),
    };
    let mut text = Text::new();
    for difference in differences.iter().take(PLACES_MAX) {
        text.push(&text!(
            "  at {:?}: A {}, B {}\n",
            difference.pointer,
            value(&difference.expected),
            value(&difference.found)
        ));
    }
    let more = differences.len().saturating_sub(PLACES_MAX);
    if more > 0 {
        text.push(&text!("  and {} more places, which --json shows\n", more));
    }
    text
}
