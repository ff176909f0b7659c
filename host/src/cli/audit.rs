//! `refrain audit`: does every decision come out the same again?

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::id::ExecutionId;
use refrain::model::Explanation;
use refrain::replay::{
    Anchors, Audit, Auditor, Compared, Difference, Divergence, Link, LinkState, SignatureCheck,
    Verdict, from_export,
};
use refrain::store::SqliteStore;
use refrain::{names, render};
use serde::Serialize;
use serde_json::Value;

use super::coded::refuse;
use super::database::{self, Database};
use super::files::STDIN;
use super::guests;
use super::named::Named;
use super::output::{self, Form, Paint};
use super::text::{Text, counted, text};
use super::{Answer, damage, erased, failure, files, keys, list};

/// Replay executions from their logs, and compare every decision
///
/// Answers 1 if a log is anything but clean or erased, and names the first event that
/// is not what it should be; with --trust also if nobody who is trusted has signed what
/// is attested of an erased one; 2 if one could not be audited, or is newer than this
/// program.
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
    /// Heads that were noted before: what `refrain list --json` or `refrain
    /// export` wrote. A log that lost its end since is found by them
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// The public key of somebody whose word about erased logs is trusted, as
    /// `openssl pkey -pubout` writes it; may be given several times
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
    let anchors = match &arguments.anchors {
        Some(path) => anchors(path)?,
        None => Anchors::default(),
    };
    let noted: Vec<ExecutionId> = anchors.executions().collect();
    let trusted = arguments.trust.iter().map(|path| keys::public(path));
    let trusted = trusted.collect::<anyhow::Result<Vec<_>>>()?;
    let mut auditor = Auditor::new(&mut library)
        .with_anchors(anchors)
        .with_trusted(trusted);
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
        audit.verdict.is_good() && (arguments.trust.is_empty() || is_vouched_for(audit))
    };
    Ok(Answer::good_if(damaged == 0 && audits.iter().all(is_good)))
}

/// Whether somebody who is trusted has signed what is attested of a log. A log that is
/// whole speaks for itself.
fn is_vouched_for(audit: &Audit) -> bool {
    matches!(audit.signature, None | Some(SignatureCheck::Trusted { .. }))
}

fn anchors(path: &Path) -> anyhow::Result<Anchors> {
    let place = path.display();
    let text = files::anchors(path)?;
    Anchors::read(&text).with_context(|| format!("{place} cannot be used for anchors"))
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

/// An audit for people.
pub(super) fn text(audit: &Audit, colours: bool) -> Text {
    let paint = match audit.verdict {
        Verdict::Clean | Verdict::Erased => Paint::Green,
        Verdict::Newer => Paint::Yellow,
        _ => Paint::Red,
    };
    let id = audit
        .execution_id
        .as_deref()
        .unwrap_or("(unknown execution)");
    let owed = match audit.owed_a_step {
        true => text!("; owed a step: a turn ended before it had decided all"),
        false => Text::new(),
    };
    let mut text = text!(
        "{}  {}  {}, {} replayed{}\n",
        id,
        paint.on(audit.verdict.word(), colours),
        counted(audit.events, "event"),
        counted(audit.decisions, "decision"),
        owed
    );
    if let Some(link) = &audit.forked_from {
        text.push(&linked(link));
    }
    if let Some(link) = &audit.child_of {
        text.push(&linked_with_parent(link));
    }
    for child in &audit.owed_children {
        text.push(&text!(
            "  owed to or by its child {}: the next turn does it\n",
            child
        ));
    }
    if let (Some(attestation), Some(signature)) = (&audit.erased, &audit.signature) {
        let sentence = erased::sentence(attestation);
        text.push(&text!("  {}. {}\n", sentence, erased::vouched(signature)));
    }
    if let Some(divergence) = &audit.divergence {
        text.push(&details(divergence));
    }
    text
}

/// What was found of the log that this one was forked from.
fn linked(link: &Link) -> Text {
    let Link {
        execution_id,
        sequence,
        link,
        ..
    } = link;
    let events = match sequence {
        1 => text!("event 1 is"),
        _ => text!("events 1 to {} are", sequence),
    };
    let said = match link {
        LinkState::Linked => text!("{} the same there", events),
        LinkState::Broken => text!("{} not the same there", events),
        LinkState::OriginUnsound => {
            text!("its log is not sound, so {} not compared", events)
        }
        _ => text!("its log is not at hand, so {} not compared", events),
    };
    text!("  forked from {}: {}\n", execution_id, said)
}

/// What was found of the log that asked for this child.
fn linked_with_parent(link: &Link) -> Text {
    let said = match link.link {
        LinkState::Linked => "both logs name each other",
        LinkState::PartlyCompared => {
            "both logs name each other; the input that was ordered for it is not known"
        }
        LinkState::Broken => "the logs do not agree",
        LinkState::OriginUnsound => "its log is not sound, so they are not compared",
        _ => "its log is not at hand, so they are not compared",
    };
    text!(
        "  child of {}, event {}: {}\n",
        link.execution_id,
        link.sequence,
        said
    )
}

fn details(divergence: &Divergence) -> Text {
    let place = format!("event {}", divergence.sequence);
    let message = Text::lines(&divergence.message);
    let named = divergence.sequence == 0 || divergence.message.starts_with(&place);
    let mut text = if named {
        text!("  {}\n", message)
    } else {
        text!("  {}: {}\n", place, message)
    };
    let (expected, found) = match divergence.compared {
        Some(Compared::GuestWithLog) => ("the guest decides", "the log has"),
        Some(Compared::LogWithStore) => ("by the log", "in the store"),
        _ => ("expected", "found"),
    };
    let (by_whom, width) = ((expected, found), expected.len());
    let names = [
        (Text::word(expected), &divergence.expected),
        (Text::word(found).padded(width), &divergence.found),
    ];
    for (name, value) in names {
        if let Some(value) = value {
            text.push(&text!("    {}  {}\n", name, value));
        }
    }
    for Difference {
        pointer,
        expected,
        found,
        ..
    } in divergence
        .difference
        .iter()
        .filter(|it| !it.pointer.is_empty())
    {
        let side = |value: &Option<Value>| match value {
            Some(value) => text!("{}", value),
            None => text!("nothing"),
        };
        text.push(&text!(
            "    at {:?}: {} {}, {} {}\n",
            pointer,
            by_whom.0,
            side(expected),
            by_whom.1,
            side(found)
        ));
    }
    if let Some(hash) = &divergence.state_hash {
        text.push(&text!("    state before: {}\n", hash));
    }
    if let Some(explanation) = &divergence.explanation {
        text.push(&explained(explanation));
    }
    text
}

/// Why the guest has a node where it is. What could be done about it then is not
/// said: that moment is past.
fn explained(explanation: &Explanation) -> Text {
    let mut text = text!(
        "    the guest on node {:?}, which is {}:\n",
        explanation.node_id,
        names::node_state(explanation.state)
    );
    for reason in &explanation.reasons {
        let sentence = render::sentence(&explanation.node_id, &reason.cause);
        text.push(&text!("      {}\n", Text::part_of_lines(&sentence)));
    }
    text
}
