//! `refrain step`: what a paused execution would do next; or let it do that, and nothing
//! more.

use std::collections::BTreeSet;

use refrain::log::json::write_event;
use refrain::model::{Event, EventKind, OperatorNote, Origin, Status};
use refrain::names;
use refrain::replay::NextStep;
use refrain::replay::nodes::Nodes;
use refrain::store::{ExecutionRecord, Reader, SqliteStore, ended};
use refrain::{Engine, ErrorRemedy, Stepped, WorkItem};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::act::{self, Target, TargetArguments};
use super::at_rest::AtRest;
use super::coded::{coded, refuse};
use super::database::{self, Database};
use super::failure::{curable, curable_by};
use super::judgement::Until;
use super::log_source::{GuestArguments, LogArguments};
use super::named::Named;
use super::output;
use super::paused::{root_of, to_go_on};
use super::secrets::{GivenSecrets, SecretsSource};
use super::session::{Session, Stopped};
use super::text::{Text, counted, text};
use super::worked_on::{self, Report};
use super::workers::{Served, Workers};
use super::{Answer, damage, log, time};

/// Show what a paused execution would do next; with `--apply`, let it do that and no more
///
/// A step is what the scheduler decides at once. With `--apply`, the pause ends, the step is
/// appended, free workers of this command are given its work, and the execution is paused
/// again, in one commit; then what was given to workers is finished. What is in flight goes
/// on all the time.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// Take the step
    #[arg(long)]
    apply: bool,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", requires = "apply")]
    reason: Option<String>,
    #[command(flatten)]
    workers: Workers,
    #[command(flatten)]
    secrets: SecretsSource,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        target,
        apply,
        reason,
        workers,
        secrets,
    } = arguments;
    if !apply && (workers.are_brought() || secrets.is_named()) {
        refuse!(
            "usage",
            "without `--apply` nothing is worked on: leave out `--worker` and `--secrets`"
        );
    }
    let target = target.find()?;
    if !apply {
        return show(&target);
    }
    let (served, secrets) = (workers.served(&[])?, secrets.read()?);
    let (store, record) = target.database().holding(target.execution())?;
    must_be_paused(&record, target.database())?;
    let taking = Taking {
        target,
        record,
        reason,
        workers,
        served,
        secrets,
    };
    act::finish(taking.take(database::to_write(store)?))?
}

/// Refuses an execution of which no step can be taken, with what to do instead.
fn must_be_paused(record: &ExecutionRecord, database: &Database) -> anyhow::Result<()> {
    let id = record.id;
    let command = |verb| database.command(verb, &[id.to_string()]);
    if let Some(why) = damage::why_set_aside(record, database) {
        return Err(coded(
            "tampered",
            format!("{id} is set aside: {}", why.as_str()),
        ));
    }
    match record.status {
        Status::Paused => Ok(()),
        Status::Running => Err(curable_by(
            "not_paused",
            format!("{id} is running, and only what is paused goes on by steps"),
            text!("`{}` pauses it", command("pause")),
        )),
        Status::Stalled => Err(curable_by(
            "stalled",
            format!("{id} is stalled, and a step of it decides nothing"),
            text!("`{}` says on what, and what helps", command("explain")),
        )),
        status => Err(curable(
            "ended",
            format!(
                "{id} has ended ({}), and nothing follows on an end",
                names::status(status)
            ),
            ErrorRemedy::Fork(id),
        )),
    }
}

// ---- what it would do ------------------------------------------------------------------

/// The next step, for programs.
#[derive(Serialize)]
struct Shown {
    execution_id: String,
    status: &'static str,
    applied: bool,
    /// The last event of the log.
    behind: u64,
    /// As they would stand in the log, behind the end of the pause.
    decisions: Vec<Box<RawValue>>,
    /// The work that they would order.
    would_queue: Vec<WouldQueue>,
    #[serde(flatten)]
    rest: Value,
}

/// A work item that would be ordered.
#[derive(Serialize)]
struct WouldQueue {
    node_id: String,
    attempt: u32,
    queue: String,
    payload: Box<RawValue>,
}

impl WouldQueue {
    fn of(item: WorkItem) -> serde_json::Result<Self> {
        Ok(Self {
            node_id: item.node_id,
            attempt: item.attempt,
            queue: item.queue,
            payload: RawValue::from_string(item.payload)?,
        })
    }
}

/// Shows what the next step would append.
fn show(target: &Target) -> anyhow::Result<Answer> {
    let (id, database) = (target.execution(), target.database());
    let log = LogArguments::of(Named::Id(id), database);
    let mut open = log.open(None, &GuestArguments::default())?;
    must_be_paused(&open.record, database)?;
    let now = open.now()?;
    let mut travel = open.travel()?;
    let unpaused = EventKind::ExecutionUnpaused(OperatorNote::default());
    let step = travel.next_step_after(&[unpaused], now)?;
    let nodes = Nodes::of(travel.log().all());
    let rest = AtRest::of(&mut *open.store, &open.record, &nodes, now)?;
    if target.is_json() {
        let items = step.items.into_iter().map(WouldQueue::of);
        output::document(&Shown {
            execution_id: id.to_string(),
            status: names::status(open.record.status),
            applied: false,
            behind: open.record.head.sequence,
            decisions: documents(&step.decisions)?,
            would_queue: items.collect::<Result<_, _>>()?,
            rest: rest.document(),
        })?;
        return Ok(Answer::Good);
    }
    output::data(&shown_text(&open.record, &step, &rest));
    output::data(&rest.text(id, database, now));
    if !step.decisions.is_empty() || !rest.queued().is_empty() {
        output::say(&text!("to let it happen: {}", to_apply(target)));
    }
    Ok(Answer::Good)
}

fn shown_text(record: &ExecutionRecord, step: &NextStep, rest: &AtRest) -> Text {
    let mut text = text!(
        "{} is paused behind event {}; ",
        record.id,
        record.head.sequence
    );
    match step.decisions.len() {
        0 if rest.is_nothing() => text.push(&text!("nothing would be decided\n")),
        0 => text.push(&text!("nothing would be decided:\n")),
        number => text.push(&text!(
            "the next step would append {}:\n",
            counted(number as u64, "decision")
        )),
    }
    text.push(&lines(&step.decisions));
    text
}

// ---- letting it happen -----------------------------------------------------------------

/// A step that was taken, for programs.
#[derive(Serialize)]
struct Taken<'a> {
    #[serde(flatten)]
    report: Report<'a>,
    /// Whether anything was appended for it.
    applied: bool,
    /// What was, from the end of the pause to the next one.
    appended: Vec<Box<RawValue>>,
    #[serde(flatten)]
    rest: Value,
}

/// A step that is to be taken.
struct Taking {
    target: Target,
    record: ExecutionRecord,
    reason: Option<String>,
    workers: Workers,
    served: Served,
    secrets: GivenSecrets,
}

impl Taking {
    async fn take(self, store: SqliteStore) -> anyhow::Result<Answer> {
        let (id, database) = (self.target.execution(), self.target.database());
        let watched = SqliteStore::open(store.path())?;
        let records = vec![self.record.clone()];
        let mut session = Session::new(
            database,
            watched,
            records,
            self.served.clone(),
            Until::Paused,
        )?;
        let engine = self.secrets.to(database::engine(store)).only([id]);
        let engine = engine.start().await?;
        let mut stepped = None;
        let step = async |engine: &Engine| {
            self.workers.serve(engine, &self.served);
            let execution = engine.execution(id).by(&self.target.who());
            let done = execution.step(self.reason.as_deref()).await?;
            if !self.target.is_json() {
                output::data(&lines(&done.events));
            }
            let fences = claims(&done);
            stepped = Some(done);
            Ok(Some(fences))
        };
        let stopped = session.prepare_and_work(engine, step).await?;
        self.say(&session, stepped.unwrap_or_default(), stopped)
    }

    /// Says what came of it.
    fn say(
        &self,
        session: &Session<'_>,
        stepped: Stepped,
        stopped: Stopped,
    ) -> anyhow::Result<Answer> {
        let (id, database) = (self.target.execution(), self.target.database());
        let (mut store, record) = database.holding(id)?;
        let now = time::now(&mut store)?;
        let now = time::of_execution(&record, store.is_simulated(), now);
        let Some(seen) = session.seen().next() else {
            refuse!("failed", "{id} is not in the database any more");
        };
        let root = root_of(&mut store, id)?;
        let rest = AtRest::of(&mut store, &record, &seen.nodes, now)?;
        if self.target.is_json() {
            output::document(&Taken {
                report: session.report(seen)?,
                applied: !stepped.events.is_empty(),
                appended: documents(&stepped.events)?,
                rest: rest.document(),
            })?;
        } else {
            if stepped.events.is_empty() && stopped == Stopped::Done {
                let end = if rest.is_nothing() { "" } else { ":" };
                output::data(&text!(
                    "nothing would be decided, and nothing was appended{}\n",
                    end
                ));
            }
            output::data(&rest.text(id, database, now));
            if ended(record.status) || record.status == Status::Stalled {
                let colours = output::colours(&std::io::stdout());
                output::data(&worked_on::row(seen, database, colours));
            }
        }
        if stopped == Stopped::Done {
            self.say_unserved(&rest);
            if record.status == Status::Paused {
                output::say(&text!("{} is paused{}", id, to_go_on(id, root, database)));
            }
        }
        Ok(match stopped {
            Stopped::Interrupted if !ended(record.status) => Answer::Undone,
            _ => Answer::good_if(matches!(
                record.status,
                Status::Paused | Status::Running | Status::Completed
            )),
        })
    }

    /// Says of which queues nobody here takes work.
    fn say_unserved(&self, rest: &AtRest) {
        let queues = rest.queued().iter().map(|it| it.queue.as_str());
        let unserved: BTreeSet<&str> = queues.filter(|it| !self.served.names(it)).collect();
        for queue in unserved {
            output::say(&text!(
                "no worker of the queue {:?} was free here; to bring one with the next step: {}",
                queue,
                text!("--worker {}=PROGRAM", queue)
            ));
        }
    }
}

/// The fences of what was claimed.
fn claims(stepped: &Stepped) -> BTreeSet<u64> {
    let events = stepped.events.iter();
    let claims = events.filter(|event| matches!(event.kind, EventKind::NodeStarted(_)));
    claims.map(|event| event.sequence).collect()
}

// ---- what both say ---------------------------------------------------------------------

/// A line for each event: facts come in, decisions go out.
fn lines(events: &[Event]) -> Text {
    let last = events.last().map_or(0, |event| event.sequence);
    let digits = last.to_string().len();
    let line = |event: &Event| {
        let mark = match event.origin {
            Origin::Fact => "<",
            Origin::Decision => ">",
        };
        text!(
            "{}  {} {}\n",
            text!("{}", event.sequence).aligned_right(digits),
            mark,
            log::in_short(event)
        )
    };
    events.iter().map(line).collect()
}

fn documents(events: &[Event]) -> anyhow::Result<Vec<Box<RawValue>>> {
    let events = events.iter();
    let documents = events.map(|event| RawValue::from_string(write_event(event)));
    Ok(documents.collect::<Result<_, _>>()?)
}

/// What takes the next step.
fn to_apply(target: &Target) -> Text {
    target.command("step --apply")
}
