//! `refrain audit`: does every decision come out the same again?

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::id::ExecutionId;
use refrain::replay::{Audit, Auditor, SignatureCheck, Verdict, from_export};
use refrain::store::SqliteStore;
use serde::Serialize;
use serde_json::Value;

use super::anchoring::{Anchoring, AnchoringArguments};
use super::audited::text;
use super::coded::refuse;
use super::database::{self, Database};
use super::files::STDIN;
use super::guests;
use super::named::Named;
use super::output::{self, Form};
use super::{Answer, damage, failure, files, keys, list};

/// Replay executions from their logs, and compare every decision
///
/// Answers 1 if a log is anything but clean or erased, and names the first event that
/// is not what it should be; also if an anchor's signature does not hold. With --trust
/// also if nobody who is trusted has signed what is attested of an erased log; and with
/// anchors besides, if a log is not signed and complete: a trusted key must have signed
/// its last event. Answers 2 if one could not be audited, or is newer than this program.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["executions", "all", "file"]))]
pub(super) struct Arguments {
    /// The executions
    #[arg(value_name = "EXECUTION")]
    executions: Vec<Named>,
    /// All executions of the database
    #[arg(long)]
    all: bool,
    /// A log that `refrain export` wrote. Of several, forks are compared with those that
    /// they were forked from
    #[arg(long, value_name = "LOG.ndjson", num_args = 1..)]
    file: Vec<PathBuf>,
    /// Ask this scheduler component instead of those that the logs name
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    #[command(flatten)]
    anchoring: AnchoringArguments,
    /// The public key of somebody whose word is trusted, about erased logs and in anchors:
    /// a file as `refrain key show` and `openssl pkey -pubout` write it; may be given
    /// several times
    #[arg(long, value_name = "PUBLICKEY.pem")]
    trust: Vec<PathBuf>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

#[derive(Serialize)]
struct Document<'a> {
    executions: &'a [Audit],
    failed: Vec<FailedDocument>,
}

/// One of which there is no audit.
#[derive(Serialize)]
struct FailedDocument {
    execution_id: String,
    error: Value,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    let other = match &arguments.guest {
        Some(path) => Some(guests::add(&mut library, path)?),
        None => None,
    };
    let anchoring = arguments.anchoring.open()?;
    let noted: Vec<ExecutionId> = anchoring.anchors().executions().collect();
    let trusted = arguments.trust.iter().map(|path| keys::public(path));
    let trusted = trusted.collect::<anyhow::Result<Vec<_>>>()?;
    let mut auditor = Auditor::new(&mut library)
        .with_anchors(anchoring.anchors().clone())
        .with_trusted(trusted)
        .with_trusted(anchoring.key());
    if let Some(digest) = other {
        auditor = auditor.with_guest(digest);
    }
    let audited = match arguments.file.as_slice() {
        [] => of_database(&mut auditor, noted, arguments)?,
        files => of_files(auditor, files)?,
    };
    let (damaged, failures) = (audited.damaged(), audited.failures());
    let Audited { audits, failed, .. } = audited;
    if arguments.form.json {
        output::document(&Document {
            executions: &audits,
            failed: failed.iter().map(FailedDocument::of).collect(),
        })?;
    } else {
        let colours = output::colours(&io::stdout());
        let texts = audits.iter();
        output::data(&texts.map(|audit| text(audit, colours)).collect());
    }
    anchoring.write(&audits)?;
    let newer = |audit: &&Audit| audit.verdict == Verdict::Newer;
    let newer = audits.iter().filter(newer).count();
    if newer > 0 && failures == 0 {
        refuse!(
            "log_newer",
            "{newer} of {} executions are of a newer program than this one, or hold events of one, and nothing is said of them; use a newer Refrain",
            damaged + audits.len()
        );
    }
    if failures > 0 {
        refuse!(
            "not_audited",
            "{failures} of {} executions could not be audited",
            failures + damaged + audits.len()
        );
    }
    let is_good = |audit: &Audit| {
        audit.verdict.is_good()
            && anchoring.holds_for(audit)
            && (arguments.trust.is_empty() || is_vouched_for(audit, &anchoring))
    };
    Ok(Answer::good_if(damaged == 0 && audits.iter().all(is_good)))
}

/// Whether somebody who is trusted has signed what is attested of a log, and where anchors
/// were given also its head. What a log that is whole says of itself needs nobody's word.
fn is_vouched_for(audit: &Audit, anchoring: &Anchoring) -> bool {
    let attested = matches!(audit.signature, None | Some(SignatureCheck::Trusted { .. }));
    attested && (!anchoring.has_anchors() || audit.is_signed_and_complete())
}

/// Forks are compared with the logs that are given together with them.
fn of_files(mut auditor: Auditor<'_>, files: &[PathBuf]) -> anyhow::Result<Audited> {
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
    let audits = files.iter().map(|path| of_file(&mut auditor, path));
    Ok(Audited {
        audits: audits.collect::<anyhow::Result<_>>()?,
        unlisted: 0,
        failed: Vec::new(),
    })
}

fn of_file(auditor: &mut Auditor<'_>, path: &Path) -> anyhow::Result<Audit> {
    let place = path.display().to_string();
    auditor
        .audit_export(files::log(path)?, &place)
        .with_context(|| format!("cannot audit {place}"))
}

/// What came of many audits. One that cannot be audited must not keep the others
/// from it.
struct Audited {
    audits: Vec<Audit>,
    /// How many could not even be listed, because they are damaged.
    unlisted: usize,
    /// Those that could not be audited.
    failed: Vec<(ExecutionId, anyhow::Error)>,
}

impl Audited {
    /// How many are damaged, so that nothing of them can be audited: they are bad.
    fn damaged(&self) -> usize {
        self.unlisted + self.failed.len() - self.failures()
    }

    /// How many could not be audited for another reason.
    fn failures(&self) -> usize {
        let failed = self.failed.iter();
        failed
            .filter(|(_, error)| !failure::is_damage(error))
            .count()
    }
}

impl FailedDocument {
    fn of((id, error): &(ExecutionId, anyhow::Error)) -> Self {
        Self {
            execution_id: id.to_string(),
            error: failure::fields(error),
        }
    }
}

fn of_database(
    auditor: &mut Auditor<'_>,
    noted: Vec<ExecutionId>,
    arguments: &Arguments,
) -> anyhow::Result<Audited> {
    let mut stores = arguments.database.open()?;
    let mut unlisted = 0;
    let ids = if arguments.all {
        let mut ids = Vec::new();
        for store in &mut stores {
            let stored = list::all(store)?;
            unlisted += stored.damaged.len();
            let (stored, _) = damage::named(stored);
            ids.extend(stored.into_iter().map(|record| record.id));
        }
        // One that was noted, and is gone, is missed.
        ids.extend(
            noted
                .into_iter()
                .filter(|id| !ids.contains(id))
                .collect::<Vec<_>>(),
        );
        ids
    } else {
        Named::find_all(&arguments.executions, &arguments.database)?
    };
    let is_only = arguments.executions.len() == 1;
    let (mut audits, mut failed) = (Vec::new(), Vec::new());
    for id in ids {
        match of_execution(auditor, &mut stores, id) {
            Ok(audit) => audits.push(audit),
            Err(error) if is_only && !failure::is_damage(&error) => return Err(error),
            Err(error) => {
                output::tell(&failure::text(&error));
                failed.push((id, error));
            }
        }
    }
    Ok(Audited {
        audits,
        unlisted,
        failed,
    })
}

fn of_execution(
    auditor: &mut Auditor<'_>,
    stores: &mut [SqliteStore],
    id: ExecutionId,
) -> anyhow::Result<Audit> {
    for store in stores {
        let audited = auditor.audit_stored(store, id);
        if let Some(audit) = audited.with_context(|| format!("cannot audit {id}"))? {
            return Ok(audit);
        }
    }
    Err(database::missing(id))
}
