//! What the schedule of executions would have been: `refrain whatif --simulated`.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::model::EventKind;
use refrain::names;
use refrain::replay::timeline::Activity;
use refrain::replay::{Change, Recording, fetch_guest, from_export, threads_for};
use refrain::simulation::{Assumed, Assumption, Measures, Recordings, Simulated, Simulation};
use refrain::store::{ListFilter, Reader, SqliteStore};
use serde::Serialize;

use super::asked::{FailedDocument, Logs};
use super::coded::OrCoded;
use super::database::{self, Database};
use super::log_source::unreadable_file;
use super::named::Named;
use super::output::{self, Paint};
use super::text::{Text, counted, text};
use super::time::span;
use super::{Answer, damage, failure, files, gantt};

/// Assumptions that are named; of more, only their number.
const ASSUMPTIONS_SHOWN: usize = 12;

/// What is simulated, and how.
pub(super) struct Question {
    /// The guest that schedules, by its digest. `None`: each log's own.
    pub(super) guest: Option<String>,
    pub(super) change: Change,
    /// How many workers there are. `None`: as many as there is work.
    pub(super) workers: Option<NonZeroUsize>,
    /// How many executions are simulated at once. `None`: as many as are worth it.
    pub(super) threads: Option<usize>,
}

/// What came of one execution: `Err` has what it is called.
type Each = Result<Simulated, (String, anyhow::Error)>;

/// Simulates these executions, and shows what came of them.
pub(super) fn run(
    question: &Question,
    library: &Library,
    logs: &Logs<'_>,
    database: &Database,
    json: bool,
) -> anyhow::Result<Answer> {
    let each = match logs.files {
        [] => question.of_database(library, logs, database)?,
        files => question.of_files(library, files)?,
    };
    let mut simulated = Vec::new();
    let mut failed = Vec::new();
    let is_only = each.len() == 1 && !logs.are_all;
    for one in each {
        match one {
            Ok(one) => simulated.push(one),
            Err((_, error)) if is_only => return Err(error),
            Err((id, error)) => {
                output::tell(&failure::text(&error));
                failed.push((id, error));
            }
        }
    }
    let others = simulated.iter().filter(|it| !it.is_same_end()).count();
    match json {
        true => output::document(&Document::of(&simulated, &failed, others))?,
        false => output::data(&report(&simulated, others)),
    }
    match failed.is_empty() {
        true => Ok(Answer::good_if(others == 0)),
        false => Ok(Answer::Undone),
    }
}

impl Question {
    /// Simulates executions of a database.
    fn of_database(
        &self,
        library: &Library,
        logs: &Logs<'_>,
        database: &Database,
    ) -> anyhow::Result<Vec<Each>> {
        let ids = match logs.are_all {
            true => roots(&mut database.open()?)?,
            false => Named::find_all(logs.executions, database)?,
        };
        let threads = self.threads.unwrap_or_else(|| threads_for(ids.len()));
        let next = AtomicUsize::new(0);
        let work = |mut stores: Vec<SqliteStore>, mut library: Library| {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(id) = ids.get(place) else {
                    return done;
                };
                let one = self.of_execution(&mut library, &mut stores, *id);
                let one = one.with_context(|| format!("cannot simulate {id}"));
                done.push((place, one.map_err(|error| (id.to_string(), error))));
            }
        };
        let mut workers = Vec::new();
        for _ in 0..threads.max(1) {
            workers.push((database.open()?, library.clone()));
        }
        let mut all = std::thread::scope(|scope| {
            let workers = workers.into_iter();
            let threads: Vec<_> = workers
                .map(|(stores, library)| scope.spawn(|| work(stores, library)))
                .collect();
            let mut all = Vec::new();
            for thread in threads {
                match thread.join() {
                    Ok(done) => all.extend(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        all.sort_by_key(|(place, _)| *place);
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }

    fn of_execution(
        &self,
        library: &mut Library,
        stores: &mut [SqliteStore],
        id: ExecutionId,
    ) -> anyhow::Result<Simulated> {
        for store in stores {
            if let Some(recordings) = Recordings::read(store, id)? {
                fetch_guest(library, store, &recordings.guest_digest())?;
                return Ok(self.simulation(library).run(&recordings)?);
            }
        }
        Err(database::missing(id))
    }

    /// Simulates what exported logs hold. Children are simulated with those that started them.
    fn of_files(&self, library: &Library, files: &[PathBuf]) -> anyhow::Result<Vec<Each>> {
        let mut library = library.clone();
        let mut all: Vec<Recording> = Vec::new();
        for path in files {
            let place = path.display().to_string();
            let reading = from_export(files::log(path)?, &place)
                .or_coded("log_unreadable", || format!("cannot read the log {place}"))?;
            let recording = reading.map_err(|found| unreadable_file(path, &found))?;
            for component in &recording.components {
                if library.bytes(&component.digest).is_none() {
                    library.add_copy(component.bytes.clone())?;
                }
            }
            all.push(recording);
        }
        let is_below = |log: &Recording| {
            let parent = parent(log);
            parent.is_some_and(|parent| all.iter().any(|it| it.execution_id.to_string() == parent))
        };
        let roots = all.iter().filter(|log| !is_below(log));
        let simulated = roots.map(|root| {
            let id = root.execution_id.to_string();
            let recordings = Recordings::of(root.clone(), &all);
            let done = recordings.and_then(|it| self.simulation(&library).run(&it));
            let done = done.with_context(|| format!("cannot simulate {id}"));
            done.map_err(|error| (id, error))
        });
        Ok(simulated.collect())
    }

    fn simulation(&self, library: &Library) -> Simulation {
        let simulation = Simulation::new(library.clone()).with_change(self.change.clone());
        let simulation = match &self.guest {
            Some(digest) => simulation.with_guest(digest),
            None => simulation,
        };
        match self.workers {
            Some(workers) => simulation.with_workers(workers),
            None => simulation,
        }
    }
}

/// All executions that no other one has started.
fn roots(stores: &mut [SqliteStore]) -> anyhow::Result<Vec<ExecutionId>> {
    let mut ids = Vec::new();
    for store in stores {
        let filter = ListFilter {
            roots: true,
            ..ListFilter::default()
        };
        let (records, _) = damage::named(store.list(&filter)?);
        ids.extend(records.into_iter().map(|record| record.id));
    }
    Ok(ids)
}

/// The execution that started the one of this log.
fn parent(log: &Recording) -> Option<&str> {
    match &log.events.first()?.event.kind {
        EventKind::WorkflowStarted(started) => Some(started.parent.as_ref()?.execution_id.as_str()),
        _ => None,
    }
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
    cut: bool,
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
            cut: it.is_cut,
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

fn report(simulated: &[Simulated], others: usize) -> Text {
    let colours = output::colours(&io::stdout());
    let mut all: Text = simulated.iter().map(|it| one(it, colours)).collect();
    let took = |measures: fn(&Simulated) -> &Measures| {
        span(simulated.iter().map(|it| measures(it).took_ms).sum())
    };
    let ends = match others {
        0 => Paint::Green.on("all come to the same end", colours),
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
    if it.is_cut {
        all.push(&text!(
            "  it has far more events than were recorded, and was ended\n"
        ));
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
            "attempt {} of {} was stopped after {}, without an answer; it never ends",
            *attempt,
            node,
            span(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
        ),
        Assumed::Never => text!(
            "no answer of {} is recorded; it completes at once, with {{}}",
            node
        ),
        Assumed::Refused(attempt, why) => text!(
            "the answer to attempt {} of {} is not taken: {}; it fails",
            *attempt,
            node,
            why
        ),
        Assumed::NotDone(what) if node.is_empty() => {
            text!("{}: it is never taken, and not done", what)
        }
        Assumed::NotDone(what) => text!("{} in {}: it is never taken, and not done", what, node),
        _ => text!("something else of {}", node),
    }
}
