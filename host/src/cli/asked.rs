//! What guests are asked about logs, and what they answer: of a database, by as many threads
//! as there are cores, or of files.

use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::replay::{
    Anchors, Audit, AuditError, Auditor, Change, Verdict, audit_many, from_export, threads_for,
};
use refrain::signing::PublicKey;
use refrain::store::SqliteStore;
use serde::Serialize;
use serde_json::Value;

use super::coded::{coded, refuse};
use super::database::{self, Database};
use super::files::STDIN;
use super::named::Named;
use super::{damage, failure, files, list, output};

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
pub(super) struct Asked {
    pub(super) audits: Vec<Audit>,
    /// How many could not even be listed, because they are damaged.
    unlisted: usize,
    /// Those that could not be audited.
    pub(super) failed: Vec<(String, anyhow::Error)>,
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
        library: &mut Library,
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
        let (ids, unlisted) = match which {
            Which::All => self.all_of(&mut stores)?,
            Which::These(named) => (Named::find_all(named, database)?, 0),
        };
        let threads = self.threads.unwrap_or_else(|| threads_for(ids.len()));
        let mut workers = vec![stores];
        for _ in 1..threads {
            workers.push(database.open()?);
        }
        let answers = audit_many(
            library,
            workers,
            &ids,
            |auditor| self.set_up(auditor),
            |auditor, stores, id| of_execution(auditor, stores, *id),
        );
        let is_only = matches!(which, Which::These([_]));
        let mut asked = Asked {
            audits: Vec::new(),
            unlisted,
            failed: Vec::new(),
        };
        for (id, answer) in ids.into_iter().zip(answers) {
            let answer = answer.with_context(|| format!("cannot audit {id}"));
            match answer.and_then(|audit| audit.ok_or_else(|| database::missing(id))) {
                Ok(audit) => asked.audits.push(audit),
                Err(error) if is_only && !failure::is_damage(&error) => return Err(error),
                Err(error) => {
                    output::tell(&failure::text(&error));
                    asked.failed.push((id.to_string(), error));
                }
            }
        }
        Ok(asked)
    }

    /// All executions there are, and how many cannot be listed.
    fn all_of(&self, stores: &mut [SqliteStore]) -> anyhow::Result<(Vec<ExecutionId>, usize)> {
        let (mut ids, unlisted) = listed(stores)?;
        // One that was noted, and is gone, is missed.
        let noted = self.anchors.executions();
        let gone = noted.filter(|id| !ids.contains(id)).collect::<Vec<_>>();
        ids.extend(gone);
        Ok((ids, unlisted))
    }

    /// Asks about exported logs. Forks are compared with the logs that are given together
    /// with them.
    fn of_files(&self, library: &mut Library, files: &[PathBuf]) -> anyhow::Result<Asked> {
        let mut auditor = self.set_up(Auditor::new(library));
        if files.len() > 1 {
            if files.iter().any(|path| path == Path::new(STDIN)) {
                refuse!(
                    "usage",
                    "several logs are read twice, and stdin can be read once; write it to a file"
                );
            }
            for path in files {
                let place = path.display().to_string();
                if let Ok(origin) = from_export(files::log(path)?, &place)? {
                    auditor = auditor.with_origin(origin);
                }
            }
        }
        let audits = files.iter().map(|path| {
            let place = path.display().to_string();
            let audited = auditor.audit_export(files::log(path)?, &place);
            audited.with_context(|| format!("cannot audit {place}"))
        });
        Ok(Asked {
            audits: audits.collect::<anyhow::Result<_>>()?,
            unlisted: 0,
            failed: Vec::new(),
        })
    }
}

/// All executions that are stored, and how many cannot be listed.
pub(super) fn listed(stores: &mut [SqliteStore]) -> anyhow::Result<(Vec<ExecutionId>, usize)> {
    let (mut ids, mut unlisted) = (Vec::new(), 0);
    for store in stores {
        let stored = list::all(store)?;
        unlisted += stored.damaged.len();
        let (stored, _) = damage::named(stored);
        ids.extend(stored.into_iter().map(|record| record.id));
    }
    Ok((ids, unlisted))
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
        let all = self.damaged() + self.audits.len();
        let newer = |audit: &&Audit| audit.verdict == Verdict::Newer;
        let newer = self.audits.iter().filter(newer).count();
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
