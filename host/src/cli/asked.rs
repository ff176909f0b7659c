//! What guests are asked about logs, and what they answer: of a database or of files, by as
//! many threads as there are cores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::replay::{
    Anchors, Audit, AuditError, Auditor, Change, Headway, Recording, Together, Verdict, audit_many,
    from_export, threads_for,
};
use refrain::signing::PublicKey;
use refrain::store::{ExecutionRecord, SqliteStore};
use serde::Serialize;
use serde_json::Value;

use super::coded::{coded, refuse};
use super::database::{self, Database};
use super::files::STDIN;
use super::named::Named;
use super::progress_bar::{All, watched};
use super::text::Text;
use super::{audited, damage, failure, files, list, output};

/// What is asked about each log.
#[derive(Default)]
pub(super) struct Question {
    /// The guest to ask instead of those that the logs name.
    pub(super) guest: Option<String>,
    /// What is to be otherwise from event 1 on.
    pub(super) change: Change,
    /// The heads to compare with.
    pub(super) anchors: Anchors,
    /// Whose word is trusted.
    pub(super) trusted: Vec<PublicKey>,
    /// How many threads ask. `None`: as many as are worth it.
    pub(super) threads: Option<usize>,
    /// Whether nobody is told how far it has come.
    pub(super) is_silent: bool,
}

/// The logs that are meant.
pub(super) struct Logs<'a> {
    /// These executions of a database, where no files are.
    pub(super) executions: &'a [Named],
    /// Or all of them.
    pub(super) are_all: bool,
    pub(super) files: &'a [PathBuf],
}

/// The executions of a database that are meant.
enum Which<'a> {
    /// All of them.
    All,
    /// These.
    These(&'a [Named]),
}

/// What came of many audits. One that cannot be audited must not keep the others
/// from it.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) audited: Vec<Audited>,
    /// How many could not even be listed, because they are damaged.
    unlisted: usize,
    /// Those that could not be audited.
    pub(super) failed: Vec<(String, anyhow::Error)>,
}

/// A log that was audited.
#[derive(Serialize)]
pub(super) struct Audited {
    /// The file that it stands in. `None` if it is of a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    #[serde(flatten)]
    pub(super) audit: Audit,
}

/// One of which there is no audit.
#[derive(Serialize)]
pub(super) struct FailedDocument {
    execution_id: String,
    error: Value,
}

impl FailedDocument {
    pub(super) fn of((id, error): &(String, anyhow::Error)) -> Self {
        Self {
            execution_id: id.clone(),
            error: failure::fields(error),
        }
    }
}

impl Question {
    fn set_up<'a>(&self, auditor: Auditor<'a>) -> Auditor<'a> {
        let auditor = auditor
            .with_change(self.change.clone())
            .with_anchors(self.anchors.clone())
            .with_trusted(self.trusted.iter().copied());
        match &self.guest {
            Some(digest) => auditor.with_guest(digest.clone()),
            None => auditor,
        }
    }

    /// Asks about these logs.
    pub(super) fn ask(
        &self,
        library: &Library,
        logs: &Logs<'_>,
        database: &Database,
    ) -> anyhow::Result<Asked> {
        match logs.files {
            [] if logs.are_all => self.of_database(library, &Which::All, database),
            [] => self.of_database(library, &Which::These(logs.executions), database),
            files => self.of_files(library, files),
        }
    }

    /// Asks about executions of a database. An error of the only one that was named is
    /// the command's.
    fn of_database(
        &self,
        library: &Library,
        which: &Which<'_>,
        database: &Database,
    ) -> anyhow::Result<Asked> {
        let mut stores = database.open()?;
        let (ids, unlisted, events) = match which {
            Which::All => self.all_of(&mut stores)?,
            Which::These(named) => (Named::find_all(named, database)?, 0, None),
        };
        let threads = self.threads_for(ids.len());
        let mut workers = vec![stores];
        for _ in 1..threads {
            workers.push(database.open()?);
        }
        let headway = Arc::new(Headway::default());
        let all = All {
            logs: ids.len(),
            events,
        };
        let answers = watched(self.is_silent, &headway, all, || {
            audit_many(
                library,
                workers,
                &ids,
                |auditor| self.set_up(auditor).with_headway(&headway),
                |auditor, stores, id| {
                    let audited = of_execution(auditor, stores, *id);
                    headway.count_log();
                    audited
                },
            )
        });
        let mut asked = Asked {
            unlisted,
            ..Asked::default()
        };
        let is_only = matches!(which, Which::These([_]));
        for (id, answer) in ids.into_iter().zip(answers) {
            let answer = answer.with_context(|| format!("cannot audit {id}"));
            let answer = answer.and_then(|audit| audit.ok_or_else(|| database::missing(id)));
            asked.take(id.to_string(), None, answer, is_only)?;
        }
        Ok(asked)
    }

    /// All executions there are, how many cannot be listed, and how many events all these have.
    fn all_of(
        &self,
        stores: &mut [SqliteStore],
    ) -> anyhow::Result<(Vec<ExecutionId>, usize, Option<u64>)> {
        let (records, unlisted) = listed(stores)?;
        let events = records.iter().map(|record| record.head.sequence).sum();
        let mut ids: Vec<ExecutionId> = records.into_iter().map(|record| record.id).collect();
        // One that was noted, and is gone, is missed.
        let noted = self.anchors.executions();
        let gone = noted.filter(|id| !ids.contains(id)).collect::<Vec<_>>();
        ids.extend(gone);
        Ok((ids, unlisted, Some(events)))
    }

    /// Asks about exported logs, each of which is compared with those of the others that are
    /// its origin, its parent or its children. An error of the only one is the command's.
    fn of_files(&self, library: &Library, given: &[PathBuf]) -> anyhow::Result<Asked> {
        let logs = files::logs(given)?;
        let is_only = logs.len() == 1;
        if !is_only && logs.iter().any(|path| path == Path::new(STDIN)) {
            refuse!(
                "usage",
                "several logs are read twice, and stdin can be read once; write it to a file"
            );
        }
        let threads = self.threads_for(logs.len());
        let headway = Arc::new(Headway::default());
        let together = match is_only {
            true => Together::default(),
            false => Together::read(threads, &logs, |path| readable(path)),
        };
        let all = All {
            logs: logs.len(),
            events: (!is_only).then(|| together.events()),
        };
        let answers = watched(self.is_silent, &headway, all, || {
            audit_many(
                library,
                vec![(); threads],
                &logs,
                |auditor| {
                    let auditor = self.set_up(auditor).with_headway(&headway);
                    auditor.with_together(&together)
                },
                |auditor, (), path| {
                    let audited = of_file(auditor, path);
                    headway.count_log();
                    Ok(audited)
                },
            )
        });
        let mut asked = Asked::default();
        for (path, answer) in logs.iter().zip(answers) {
            let place = path.display().to_string();
            let answer = answer.map_err(anyhow::Error::from).flatten();
            asked.take(place.clone(), Some(place), answer, is_only)?;
        }
        Ok(asked)
    }

    fn threads_for(&self, logs: usize) -> usize {
        self.threads.unwrap_or_else(|| threads_for(logs))
    }
}

/// All executions that are stored, and how many cannot be listed.
pub(super) fn listed(stores: &mut [SqliteStore]) -> anyhow::Result<(Vec<ExecutionRecord>, usize)> {
    let (mut records, mut unlisted) = (Vec::new(), 0);
    for store in stores {
        let stored = list::all(store)?;
        unlisted += stored.damaged.len();
        let (stored, _) = damage::named(stored);
        records.extend(stored);
    }
    Ok((records, unlisted))
}

/// The log in a file, if it can be read.
fn readable(path: &Path) -> Option<Recording> {
    let place = path.display().to_string();
    from_export(files::log(path).ok()?, &place).ok()?.ok()
}

fn of_file(auditor: &mut Auditor<'_>, path: &Path) -> anyhow::Result<Audit> {
    let place = path.display().to_string();
    let audited = auditor.audit_export(files::log(path)?, &place);
    audited.with_context(|| format!("cannot audit {place}"))
}

fn of_execution(
    auditor: &mut Auditor<'_>,
    stores: &mut [SqliteStore],
    id: ExecutionId,
) -> Result<Option<Audit>, AuditError> {
    for store in stores {
        if let Some(audit) = auditor.audit_stored(store, id)? {
            return Ok(Some(audit));
        }
    }
    Ok(None)
}

impl Asked {
    /// Takes what came of one log. An error of the only one is the command's, unless it is
    /// the log's damage.
    fn take(
        &mut self,
        name: String,
        file: Option<String>,
        answer: anyhow::Result<Audit>,
        is_only: bool,
    ) -> anyhow::Result<()> {
        match answer {
            Ok(audit) => self.audited.push(Audited { file, audit }),
            Err(error) if is_only && !failure::is_damage(&error) => return Err(error),
            Err(error) => {
                output::tell(&failure::text(&error));
                self.failed.push((name, error));
            }
        }
        Ok(())
    }

    /// Those of the audits for people. Of several files, each is named.
    pub(super) fn texts(&self, are_shown: impl Fn(&Audit) -> bool, colours: bool) -> Text {
        let are_several = self.audited.len() + self.failed.len() > 1;
        let shown = self.audited.iter().filter(|it| are_shown(&it.audit));
        let texts = shown.map(|it| {
            let file = it.file.as_deref().filter(|_| are_several);
            audited::text(&it.audit, file, colours)
        });
        texts.collect()
    }

    /// What was found of each log.
    pub(super) fn audits(&self) -> impl Iterator<Item = &Audit> {
        self.audited.iter().map(|it| &it.audit)
    }

    /// How many are damaged, so that nothing of them can be audited: they are bad.
    pub(super) fn damaged(&self) -> usize {
        self.unlisted + self.failed.len() - self.failures()
    }

    /// How many could not be audited for another reason.
    fn failures(&self) -> usize {
        let failed = self.failed.iter();
        failed
            .filter(|(_, error)| !failure::is_damage(error))
            .count()
    }

    /// An error if nothing can be said of one. `done` is what was to be done.
    pub(super) fn refuse_unasked(&self, done: &str) -> anyhow::Result<()> {
        let all = self.damaged() + self.audited.len();
        let newer = |audit: &&Audit| audit.verdict == Verdict::Newer;
        let newer = self.audits().filter(newer).count();
        let failures = self.failures();
        if newer > 0 && failures == 0 {
            refuse!(
                "log_newer",
                "{newer} of {all} executions are of a newer program than this one, or hold events of one, and nothing is said of them; use a newer Refrain"
            );
        }
        if failures > 0 {
            let message = format!(
                "{failures} of {} executions could not be {done}",
                failures + all
            );
            return Err(coded("not_audited", message));
        }
        Ok(())
    }
}
