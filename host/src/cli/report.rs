//! `refrain report`: executions in one HTML file that audits itself.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use refrain::erase::Eraser;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::log::export::Component;
use refrain::picture;
use refrain::replay::{Auditor, LogStore, Recording, from_export, from_store};
use refrain::report::{Holds, Report, without_payloads};
use refrain::signing::{Signer, SigningKey};
use refrain::store::{ExecutionRecord, Reader};
use refrain::{ErrorRemedy, LogClock};

use super::by::By;
use super::coded::{OrCoded, refuse};
use super::database::{self, Database};
use super::failure::{self, curable, curable_by};
use super::named::Named;
use super::text::{Text, counted, text};
use super::{Answer, files, graph, guests, keys, log_source, output, placed, to_type};

/// Write executions as one HTML file that any browser opens, and that audits itself
///
/// The file holds the logs and the scheduler components that they name. In the browser, its
/// scheduler decides everything again, and shows what the execution was like behind each
/// event; nothing is loaded or sent. Unless --mask or --no-payloads says otherwise, it holds
/// all that the executions were given and have said, and always the text of their workflows.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The executions
    #[arg(value_name = "EXECUTION", required_unless_present = "file")]
    executions: Vec<Named>,
    /// Logs that `refrain export` wrote, instead of executions of the database
    #[arg(long, value_name = "LOG.ndjson", num_args = 1.., conflicts_with = "executions")]
    file: Vec<PathBuf>,
    /// A scheduler component that a log names and does not bring; may be given several times
    #[arg(long, value_name = "FILE.wasm")]
    guest: Vec<PathBuf>,
    /// Write there; `-` is stdout
    #[arg(short, long, value_name = "FILE.html")]
    output: PathBuf,
    /// Put the children of these executions into it too, and theirs
    #[arg(long, conflicts_with = "file")]
    children: bool,
    /// Leave out what was said, and show its fields with each value masked
    ///
    /// Texts, numbers and truth values become ***; names of fields and lengths of lists stay.
    /// The logs in the file are erased (commitments in the place of what was said), so their
    /// verdict is `erased`. Only of what has ended.
    #[arg(long, conflicts_with = "no_payloads")]
    mask: bool,
    /// Leave out what was said: times, nodes, attempts and codes stay
    ///
    /// The logs in the file are erased, so their verdict is `erased`. Only of what has ended.
    #[arg(long)]
    no_payloads: bool,
    /// Sign what is attested of logs without what was said with this private key: Ed25519 in
    /// PKCS#8, as `refrain key new` writes it
    #[arg(long, value_name = "KEYFILE")]
    sign_with: Option<PathBuf>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    database: Database,
}

/// An execution that is put into the report.
struct Subject {
    recording: Recording,
    /// The graph of its workflow with the states of its nodes, as SVG. `None` if its log is
    /// not sound enough for one.
    picture: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let holds = match (arguments.mask, arguments.no_payloads) {
        (true, _) => Holds::Masked,
        (false, true) => Holds::Nothing,
        (false, false) => Holds::Payloads,
    };
    if holds == Holds::Payloads && arguments.sign_with.is_some() {
        refuse!(
            "usage",
            "--sign-with signs what is attested where something is left out; add --mask or --no-payloads, or leave it out"
        );
    }
    let mut library = guests::library()?;
    for path in &arguments.guest {
        guests::add(&mut library, path)?;
    }
    let subjects = match arguments.file.is_empty() {
        true => of_database(arguments)?,
        false => of_files(arguments)?,
    };
    let report = report(subjects, holds, arguments, &mut library)?;
    let mut bytes = 0;
    placed::write(&arguments.output, None, |out| {
        let page = report.0.write(Vec::new())?;
        bytes = page.len();
        out.write_all(&page)
    })?;
    say(arguments, holds, &report.1, bytes);
    Ok(Answer::Good)
}

/// What is in the report.
struct Counted {
    executions: usize,
    /// How many of the executions are erased: nothing is left of what was said in them.
    erased: usize,
    events: u64,
}

fn report(
    subjects: Vec<Subject>,
    holds: Holds,
    arguments: &Arguments,
    library: &mut Library,
) -> anyhow::Result<(Report, Counted)> {
    let now = LogClock::system().now();
    let by = arguments.by.who();
    let key = arguments.sign_with.as_deref().map(keys::private);
    let key: Option<SigningKey> = key.transpose()?;
    let eraser = Eraser {
        by: &by,
        at: now,
        signer: key.as_ref().map(|key| key as &dyn Signer),
    };
    let mut report = Report::new(now, holds);
    let mut all = Counted {
        executions: subjects.len(),
        erased: subjects
            .iter()
            .filter(|it| it.recording.is_erased())
            .count(),
        events: 0,
    };
    for mut subject in subjects {
        all.events += subject.recording.plain().count() as u64;
        let picture = subject.picture.as_deref();
        if holds == Holds::Payloads {
            complete(&mut subject.recording, library)?;
            put(&mut report, &subject.recording, picture)?;
            continue;
        }
        let left = left(&subject.recording, library, &eraser)?;
        put(&mut report, &left, picture)?;
        if holds == Holds::Masked {
            report.add_masked(&subject.recording.events);
        }
    }
    Ok((report, all))
}

fn put(report: &mut Report, recording: &Recording, picture: Option<&str>) -> anyhow::Result<()> {
    report.add(recording, picture).map_err(|error| {
        let id = recording.execution_id.to_string();
        curable_by(
            "not_reported",
            format!("{id} does not go into a report: {error}"),
            text!(
                "`{}` moves through a log of any length",
                to_type::command("replay", &[id], None)
            ),
        )
    })
}

/// The log without what was said, with what its audit says of the whole one.
fn left(
    recording: &Recording,
    library: &mut Library,
    eraser: &Eraser<'_>,
) -> anyhow::Result<Recording> {
    let whole = recording.export(Vec::new())?;
    let place = recording.execution_id.to_string();
    let audit = Auditor::new(library).audit_export(&whole[..], &place)?;
    without_payloads(recording, &audit, eraser).or_coded("not_reported", || {
        format!("{place} does not go into a report without what was said")
    })
}

/// Executions of the database, and their children where these are wanted.
fn of_database(arguments: &Arguments) -> anyhow::Result<Vec<Subject>> {
    let database = &arguments.database;
    let mut left: VecDeque<ExecutionId> = Named::find_all(&arguments.executions, database)?.into();
    let (mut taken, mut subjects) = (BTreeSet::new(), Vec::new());
    while let Some(id) = left.pop_front() {
        if !taken.insert(id) {
            continue;
        }
        let (mut store, record) = database.holding(id)?;
        if arguments.children {
            let children = store.children(id)?.into_iter().map(|it| it.child);
            for child in children {
                // One that was asked for may not have been started yet.
                if store.execution(child)?.is_some() {
                    left.push_back(child);
                }
            }
        }
        subjects.push(of_execution(&mut store, &record)?);
    }
    Ok(subjects)
}

fn of_execution(store: &mut dyn Reader, record: &ExecutionRecord) -> anyhow::Result<Subject> {
    let id = record.id;
    let damaged = |message: &str| {
        curable(
            "log_damaged",
            format!("the log of {id} cannot be read to its end: {message}"),
            ErrorRemedy::Audit(id),
        )
    };
    let reading = from_store(store, id)?.ok_or_else(|| database::missing(id))?;
    let mut recording = reading.map_err(|found| damaged(&found.message))?;
    if let Some(found) = &recording.broken_off {
        return Err(damaged(&found.message));
    }
    if !recording.is_erased() {
        // One that is missing is missed below.
        recording.fetch_components(store)?;
    }
    let picture = picture_of(store, record, &recording)?;
    Ok(Subject { recording, picture })
}

fn of_files(arguments: &Arguments) -> anyhow::Result<Vec<Subject>> {
    let paths = files::logs(&arguments.file)?;
    paths.iter().map(|path| of_file(path)).collect()
}

fn of_file(path: &Path) -> anyhow::Result<Subject> {
    let place = path.display().to_string();
    let reading = from_export(files::log(path)?, &place);
    let reading = reading.or_coded("log_unreadable", || format!("cannot read the log {place}"))?;
    let recording = reading.map_err(|found| log_source::unreadable_file(path, &found))?;
    if let Some(found) = &recording.broken_off {
        return Err(log_source::unreadable_file(path, found));
    }
    let id = recording.execution_id;
    let mut store = LogStore::new(Arc::new(recording.clone()), place.clone());
    let Some(record) = store.execution(id)? else {
        return Err(log_source::without_beginning(id, &place));
    };
    let picture = picture_of(&mut store, &record, &recording)?;
    Ok(Subject { recording, picture })
}

/// The graph with the states at the end of the log, which leave room for all that comes to
/// stand in it. A log that was tampered with may have none.
fn picture_of(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    recording: &Recording,
) -> anyhow::Result<Option<String>> {
    match graph::of_log(store, record, None) {
        Ok(picture) => Ok(Some(picture::svg(&picture))),
        Err(error) if record.tampering.is_some() || recording.broken_link.is_some() => {
            let error = failure::line(&error);
            output::say(&text!(
                "note: there is no graph of {}: {}",
                record.id,
                error
            ));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Puts the components into it that its log names, where it does not bring them.
fn complete(recording: &mut Recording, library: &Library) -> anyhow::Result<()> {
    if recording.is_erased() {
        recording.components.clear();
        return Ok(());
    }
    let named: BTreeSet<String> = recording.guests().collect();
    for digest in named {
        if recording.components.iter().any(|it| it.digest == digest) {
            continue;
        }
        let Some(bytes) = library.bytes(&digest).map(<[u8]>::to_vec) else {
            refuse!(
                "unknown_guest",
                "the scheduler component {digest}, which the log of {} names, is not at hand; name its file with --guest",
                recording.execution_id
            );
        };
        recording.components.push(Component { digest, bytes });
    }
    Ok(())
}

/// What was written, and who may read it.
fn say(arguments: &Arguments, holds: Holds, all: &Counted, bytes: usize) {
    let kilobytes = bytes.div_ceil(1000);
    output::say(&text!(
        "{} of {} in {} kB: {}",
        counted(all.executions as u64, "execution"),
        counted(all.events, "event"),
        kilobytes,
        arguments.output.as_path()
    ));
    output::say(&held(holds, all));
}

/// What was written tells of its executions.
fn held(holds: Holds, all: &Counted) -> Text {
    if holds != Holds::Payloads {
        return text!("what was said is not in it; the text of the workflow is");
    }
    if all.erased == all.executions {
        return text!(
            "what was said is not in it, because it was erased; the text of the workflow is"
        );
    }
    let mut held = text!(
        "it holds all that was given and said, and the text of the workflow; --mask and --no-payloads leave that out, but for the workflow"
    );
    if all.erased > 0 {
        let erased = counted(all.erased as u64, "execution");
        held.push(&text!("; of {} it was erased", erased));
    }
    held
}
