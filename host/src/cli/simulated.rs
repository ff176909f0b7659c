//! What the schedule of executions would have been: `refrain whatif --simulated`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::model::EventKind;
use refrain::replay::{Change, Recording, fetch_guest, from_export, in_threads, threads_for};
use refrain::simulation::{Recordings, Simulated, Simulation};
use refrain::store::{ListFilter, Reader, SqliteStore};

use super::asked::Logs;
use super::coded::OrCoded;
use super::database::{self, Database};
use super::log_source::unreadable_file;
use super::named::Named;
use super::{Answer, damage, failure, files, output, schedules};

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
        files => question.of_files(library, &files::logs(files)?)?,
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
    schedules::show(&simulated, &failed, json)?;
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
        let mut workers = Vec::new();
        for _ in 0..threads.max(1) {
            workers.push((database.open()?, library.clone()));
        }
        Ok(in_threads(
            workers,
            &ids,
            |(mut stores, mut library), take_next| {
                while take_next(&mut |id| {
                    let one = self.of_execution(&mut library, &mut stores, *id);
                    let one = one.with_context(|| format!("cannot simulate {id}"));
                    one.map_err(|error| (id.to_string(), error))
                }) {}
            },
        ))
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
