//! `refrain bisect`: where do two schedulers part?

use std::ffi::OsStr;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use refrain::guest::Library;
use refrain::replay::{
    AuditError, Bisected, Parting, bisect_many, from_export, from_store, threads_for,
};
use refrain::store::StoreError;
use serde::Serialize;

use super::asked::{self, FailedDocument};
use super::coded::{coded, refuse};
use super::database::{self, Database};
use super::log_counts::{LogCounts, NOT_SOUND};
use super::named::Named;
use super::output::{self, Form, Paint};
use super::text::{Text, counted, text};
use super::{Answer, audited, failure, files, guests, to_type, typed};

/// Find the smallest log on which two schedulers decide differently
///
/// Each log is replayed with both, exactly as it was recorded. The fewest events after which
/// the two part are told, with what each decides there; a scheduler that fails there, or
/// comes to no end, decides differently too. Unless you name executions or files, all
/// executions of the database are looked at. Nothing is written.
///
/// Answers 1 if they part anywhere, or a log is not sound; 2 if one could not be asked
/// about.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The executions; all of the database, unless you say
    #[arg(value_name = "EXECUTION")]
    executions: Vec<Named>,
    /// Logs that `refrain export` wrote, or folders of such (`*.ndjson`)
    #[arg(long, value_name = "LOG.ndjson|FOLDER", num_args = 1.., conflicts_with = "executions")]
    file: Vec<PathBuf>,
    /// The scheduler component that decides as it should; that of this program, unless you
    /// say
    #[arg(long, value_name = "FILE.wasm")]
    good: Option<PathBuf>,
    /// The scheduler component to compare with it
    #[arg(long, value_name = "FILE.wasm")]
    bad: PathBuf,
    /// How many logs are replayed at once; as many as there are cores, unless you say
    #[arg(long, value_name = "N", value_parser = typed::from_one)]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

/// The answer for programs.
#[derive(Serialize)]
struct Document<'a> {
    good: &'a str,
    bad: &'a str,
    summary: Summary,
    /// The smallest prefix: that of the first of `executions` on which they part.
    smallest: Option<&'a Compared>,
    executions: &'a [Compared],
    failed: Vec<FailedDocument>,
}

/// How many logs came to what.
#[derive(Clone, Copy, Default, Serialize)]
struct Summary {
    same: usize,
    part: usize,
    leave_together: usize,
    unsound: usize,
    erased: usize,
    newer: usize,
    events: u64,
}

/// What came of one log.
#[derive(Serialize)]
struct Compared {
    /// The file that it stands in. `None` if it is of a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(flatten)]
    log: Bisected,
}

/// What came of all logs.
struct AllCompared {
    logs: Vec<Compared>,
    failed: Vec<(String, anyhow::Error)>,
    /// How many cannot even be listed.
    unlisted: usize,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    let good = match &arguments.good {
        Some(path) => guests::add(&mut library, path)?,
        None => library.built_in().to_owned(),
    };
    let bad = guests::add(&mut library, &arguments.bad)?;
    if good == bad {
        refuse!(
            "usage",
            "--good and --bad are the same scheduler component, {good}; name two"
        );
    }
    let compared = arguments.compare(&library, (&good, &bad))?;
    let summary = Summary::of(&compared.logs);
    if arguments.form.json {
        output::document(&Document {
            good: &good,
            bad: &bad,
            summary,
            smallest: compared.smallest(),
            executions: &compared.logs,
            failed: compared.failed.iter().map(FailedDocument::of).collect(),
        })?;
    } else {
        output::data(&arguments.shown(&compared, &summary));
    }
    compared.refuse_unasked(&summary)?;
    let damaged = compared.unlisted + compared.failed.len();
    Ok(Answer::good_if(
        summary.part == 0 && summary.unsound == 0 && damaged == 0,
    ))
}

/// That there is no such execution any more.
fn gone(name: &str) -> anyhow::Error {
    match name.parse() {
        Ok(id) => database::missing(id),
        Err(_) => coded("log_unreadable", format!("there is no log {name}")),
    }
}

impl Summary {
    fn of(logs: &[Compared]) -> Self {
        let mut summary = Self::default();
        for Compared { log, .. } in logs {
            *match log.outcome {
                Parting::Same => &mut summary.same,
                Parting::Parts => &mut summary.part,
                Parting::LeaveTogether => &mut summary.leave_together,
                Parting::Unsound => &mut summary.unsound,
                Parting::Erased => &mut summary.erased,
                _ => &mut summary.newer,
            } += 1;
            summary.events += log.events;
        }
        summary
    }
}

impl Compared {
    /// The execution.
    fn name(&self) -> &str {
        let id = self.log.execution_id.as_deref();
        id.unwrap_or("(unknown execution)")
    }

    fn in_file(&self) -> Text {
        audited::in_file(self.file.as_deref())
    }
}

impl AllCompared {
    /// What could be asked about, and what could not. Each log has the name that it was asked
    /// for by, and the file that it stands in. An error of the only one that was named is the
    /// command's.
    fn of(
        logs: impl Iterator<Item = (String, Option<String>)>,
        answers: Vec<Result<Option<Bisected>, AuditError>>,
        is_only: bool,
    ) -> anyhow::Result<Self> {
        let mut compared = Self {
            logs: Vec::new(),
            failed: Vec::new(),
            unlisted: 0,
        };
        for ((name, file), answer) in logs.zip(answers) {
            let answer = answer.with_context(|| format!("cannot audit {name}"));
            match answer.and_then(|log| log.ok_or_else(|| gone(&name))) {
                Ok(log) => compared.logs.push(Compared { file, log }),
                Err(error) if is_only && !failure::is_damage(&error) => return Err(error),
                Err(error) => {
                    output::tell(&failure::text(&error));
                    compared.failed.push((name, error));
                }
            }
        }
        Ok(compared)
    }

    /// The log with the fewest events after which the two part.
    fn smallest(&self) -> Option<&Compared> {
        let parting = self.logs.iter().filter(|it| it.log.after.is_some());
        parting.min_by_key(|it| (it.log.after, &it.log.execution_id))
    }

    /// An error if nothing can be said of one.
    fn refuse_unasked(&self, summary: &Summary) -> anyhow::Result<()> {
        let failed = self.failed.iter();
        let failed = failed
            .filter(|(_, error)| !failure::is_damage(error))
            .count();
        let all = self.logs.len() + self.failed.len() + self.unlisted;
        if failed > 0 {
            let message = format!("{failed} of {all} executions could not be asked about");
            return Err(coded("not_audited", message));
        }
        if summary.newer > 0 {
            refuse!(
                "log_newer",
                "{} of {all} executions are of a newer program than this one, or hold something that a scheduler cannot know, and nothing is said of them; use a newer Refrain",
                summary.newer
            );
        }
        Ok(())
    }
}

impl Arguments {
    fn compare(&self, library: &Library, pair: (&str, &str)) -> anyhow::Result<AllCompared> {
        match self.file.as_slice() {
            [] => self.compare_executions(library, pair),
            files => self.compare_files(library, pair, files),
        }
    }

    fn threads(&self, logs: usize) -> usize {
        self.jobs
            .map_or_else(|| threads_for(logs), NonZeroUsize::get)
    }

    fn compare_executions(
        &self,
        library: &Library,
        pair: (&str, &str),
    ) -> anyhow::Result<AllCompared> {
        let mut stores = self.database.open()?;
        let (ids, unlisted) = match self.executions.as_slice() {
            [] => {
                let (records, unlisted) = asked::listed(&mut stores)?;
                (
                    records.into_iter().map(|record| record.id).collect(),
                    unlisted,
                )
            }
            named => (Named::find_all(named, &self.database)?, 0),
        };
        let mut workers = vec![stores];
        for _ in 1..self.threads(ids.len()) {
            workers.push(self.database.open()?);
        }
        let answers = bisect_many(library, workers, &ids, pair, |stores, id| {
            for store in stores {
                if let Some(reading) = from_store(store, *id)? {
                    return Ok(Some(reading));
                }
            }
            Ok(None)
        });
        let logs = ids.iter().map(|id| (id.to_string(), None));
        let compared = AllCompared::of(logs, answers, self.executions.len() == 1)?;
        Ok(AllCompared {
            unlisted,
            ..compared
        })
    }

    fn compare_files(
        &self,
        library: &Library,
        pair: (&str, &str),
        files: &[PathBuf],
    ) -> anyhow::Result<AllCompared> {
        let logs = files::logs(files)?;
        let workers = vec![(); self.threads(logs.len())];
        let answers = bisect_many(library, workers, &logs, pair, |(), path: &PathBuf| {
            let place = path.display().to_string();
            let failed = |error: anyhow::Error| StoreError::Io {
                place: place.clone(),
                detail: failure::line(&error),
            };
            let file = files::log(path).map_err(failed)?;
            Ok(Some(from_export(file, &place)?))
        });
        let named = logs.iter().map(|path| path.display().to_string());
        let named = named.map(|name| (name.clone(), Some(name)));
        AllCompared::of(named, answers, logs.len() == 1)
    }

    fn shown(&self, compared: &AllCompared, summary: &Summary) -> Text {
        let colours = output::colours(&io::stdout());
        let mut shown = Text::new();
        let is_unsound = |it: &&Compared| it.log.outcome == Parting::Unsound;
        for it in compared.logs.iter().filter(is_unsound) {
            let divergence = it.log.good.as_ref().or(it.log.bad.as_ref());
            let found = divergence.map(audited::diverged).unwrap_or_default();
            shown.push(&text!(
                "{}  {}{}\n{}",
                it.name(),
                NOT_SOUND,
                it.in_file(),
                found
            ));
        }
        if let Some(smallest) = compared.smallest() {
            shown.push(&text!(
                "{}  next: `{}` makes that log as small as can be\n",
                parted(smallest),
                self.command_to_minimize(smallest)
            ));
        }
        shown.push(&summed_up(compared.logs.len(), summary, colours));
        shown
    }

    fn command_to_minimize(&self, it: &Compared) -> Text {
        match &it.file {
            None => self.database.command_to_minimize(it.name(), &self.bad),
            Some(file) => {
                let file = ("--file", OsStr::new(file));
                let guest = ("--guest", self.bad.as_os_str());
                to_type::with_options("minimize", &[file, guest], &[""; 0], None)
            }
        }
    }
}

/// Where two schedulers part, and what each does there.
fn parted(it: &Compared) -> Text {
    let log = &it.log;
    let after = log.after.unwrap_or_default();
    let mut text = text!(
        "{}  they part after {} of {}{}\n",
        it.name(),
        counted(after, "event"),
        log.events,
        it.in_file()
    );
    let next = after + 1;
    for (side, divergence) in [("good", &log.good), ("bad", &log.bad)] {
        let here = divergence.as_ref().filter(|it| it.sequence == next);
        text.push(&match here {
            Some(found) => text!("  {}:\n{}", side, audited::report(found, 4)),
            None => text!("  {}: decides what the log has as event {}\n", side, next),
        });
    }
    text
}

fn summed_up(all: usize, summary: &Summary, colours: bool) -> Text {
    let said = match summary.part {
        0 => Paint::Green.on("bisect: the two part nowhere", colours),
        1 => Paint::Red.on("bisect: the two part in 1 log", colours),
        part => {
            Text::word(&format!("bisect: the two part in {part} logs")).painted(Paint::Red, colours)
        }
    };
    let counts = LogCounts {
        all,
        same: summary.same,
        unsound: summary.unsound,
        erased: summary.erased,
        newer: summary.newer,
        events: summary.events,
    };
    let together = "both leave in the same way, and nothing is known of what follows";
    counts.line(&said, Some((summary.leave_together, together)))
}
