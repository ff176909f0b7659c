//! `refrain minimize`: the smallest log of which the same is wrong.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use refrain::guest::Library;
use refrain::log::export::Component;
use refrain::replay::{
    Divergence, MinimizeError, Minimized, Progress, Recording, Size, Written, fetch_guest, minimize,
};
use serde::Serialize;
use serde_json::Value;

use super::coded::{coded, refuse};
use super::database::Database;
use super::failure::curable_by;
use super::log_source::{GuestArguments, LogArguments, OpenLog};
use super::output::{self, Form};
use super::terminal::StatusLine;
use super::text::{Text, counted, text};
use super::{Answer, audited, guests, placed, to_type, typed};

/// Make a log that diverges, or on which a scheduler fails, as small as can be
///
/// Nodes, edges, facts and values are left out, one after the other, as long as the same is
/// wrong with what is left: the scheduler that was asked leaves the log with a decision of
/// the same kind, or fails in the same way. What workers have answered is replaced, unless
/// a condition reads it, so that the smaller log can be shown to others. It is written as a
/// file that `refrain audit` and `refrain whatif` read, and shown as a table: a test for
/// whoever builds the scheduler.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    /// The scheduler component that leaves the log, or fails on it. Unless you say, the
    /// log's own is asked, as `refrain audit` does
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    /// Write the smaller log there; unless you say, next to the log, under its name with
    /// `.min` in it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Stop after this span, and write the smallest log that was found until then
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = typed::span, allow_hyphen_values = true)]
    within: Duration,
    #[command(flatten)]
    form: Form,
}

/// The answer for programs.
#[derive(Serialize)]
struct Document<'a> {
    execution_id: String,
    file: String,
    guest: Option<&'a str>,
    written: Written,
    complete: bool,
    tried: u64,
    before: Size,
    after: Size,
    workflow: Value,
    table: Option<&'a str>,
    no_table: Option<&'a str>,
    verdict: &'static str,
    divergence_before: Option<&'a Divergence>,
    divergence: Option<&'a Divergence>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    let guest = match &arguments.guest {
        Some(path) => Some(guests::add(&mut library, path)?),
        None => None,
    };
    let mut open = arguments.log.open(None, &GuestArguments::default())?;
    let recording = open.recording()?;
    fetch(&mut library, &mut open, &recording, guest.is_some())?;
    let path = arguments.path(&recording);
    if arguments.log.file().is_some_and(|log| is_same(log, &path)) {
        refuse!(
            "usage",
            "{} is the log itself, and it is not overwritten by what is left of it; name another file with --output",
            path.display()
        );
    }
    placed::not_stdout(&path)?;
    if path.exists() && !arguments.force {
        refuse!(
            "file_exists",
            "{} is there already, and it is not overwritten; name another file with --output, or say --force",
            path.display()
        );
    }
    let minimized = arguments.search(&mut library, &recording, guest.as_deref())?;
    let mut small = Recording::clone(&minimized.recording);
    small.components = components(&small, &recording);
    placed::write(&path, None, |out| small.export(out).map(drop))?;
    if arguments.form.json {
        output::document(&document(&minimized, &path, guest.as_deref())?)?;
    } else {
        output::data(&arguments.shown(&minimized, &path)?);
    }
    Ok(Answer::Good)
}

/// Whether both name one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|path| path.canonicalize().ok());
    one.is_some() && one == other
}

/// Takes the schedulers that the log names into the library: those that there are, where
/// another one is asked.
fn fetch(
    library: &mut Library,
    open: &mut OpenLog,
    recording: &Recording,
    is_other_asked: bool,
) -> anyhow::Result<()> {
    for digest in recording.guests() {
        fetch_guest(library, &mut *open.store, &digest)?;
        if library.bytes(&digest).is_none() && !is_other_asked {
            refuse!(
                "unknown_guest",
                "the log names the scheduler component {digest}, which is not at hand; export the log with --with-guest, or name the component with --guest FILE.wasm"
            );
        }
    }
    Ok(())
}

/// The schedulers of the smaller log, if the log has brought them.
fn components(small: &Recording, whole: &Recording) -> Vec<Component> {
    let named: Vec<String> = small.guests().collect();
    let brought = whole.components.iter();
    let kept = brought.filter(|it| named.contains(&it.digest));
    kept.cloned().collect()
}

impl Arguments {
    /// Where the smaller log is written.
    fn path(&self, recording: &Recording) -> PathBuf {
        if let Some(path) = &self.output {
            return path.clone();
        }
        let file = self.log.file().filter(|path| path.file_stem().is_some());
        match file.filter(|path| *path != Path::new(super::files::STDIN)) {
            Some(path) => path.with_extension("min.ndjson"),
            None => PathBuf::from(format!("{}.min.ndjson", recording.execution_id)),
        }
    }

    /// Searches, as long as there is time.
    fn search(
        &self,
        library: &mut Library,
        recording: &Recording,
        guest: Option<&str>,
    ) -> anyhow::Result<Minimized> {
        let begun = Instant::now();
        let mut status = StatusLine::new();
        let mut go_on = |Progress { tried, size, .. }: Progress| {
            status.show(text!(
                "{}, {}, {} tried",
                counted(size.events, "event"),
                counted(size.nodes, "node"),
                tried
            ));
            begun.elapsed() < self.within
        };
        let found = minimize(library, recording, guest, &mut go_on);
        status.clear();
        found.map_err(|error| self.refused(recording, error))
    }

    /// Why a log could not be made smaller, and what helps.
    fn refused(&self, recording: &Recording, error: MinimizeError) -> anyhow::Error {
        let message = error.to_string();
        let code = match &error {
            MinimizeError::Audit(_) => return anyhow::Error::new(error),
            MinimizeError::NothingWrong => "nothing_wrong",
            MinimizeError::Erased => "log_erased",
            MinimizeError::Newer(_) => return coded("log_newer", message),
            MinimizeError::NotReproduced { .. } => "not_reproduced",
            _ => "log_damaged",
        };
        let audit = match self.log.file() {
            Some(path) => audit_of(path, self.guest.as_deref()),
            None => Database::opened().command("audit", &[recording.execution_id.to_string()]),
        };
        match code {
            "nothing_wrong" => curable_by(
                code,
                message,
                text!("name the scheduler that decides otherwise with --guest FILE.wasm"),
            ),
            "log_erased" => coded(code, message),
            _ => curable_by(
                code,
                message,
                text!("`{}` says what is wrong with it", audit),
            ),
        }
    }

    fn shown(&self, minimized: &Minimized, path: &Path) -> anyhow::Result<Text> {
        let Minimized {
            before,
            after,
            tried,
            recording,
            ..
        } = minimized;
        let mut shown = text!(
            "{}: {}, {}; it was {}, {}\n",
            path,
            counted(after.events, "event"),
            counted(after.nodes, "node"),
            counted(before.events, "event"),
            counted(before.nodes, "node")
        );
        let logs = counted(*tried, "smaller log");
        shown.push(&match minimized.is_complete {
            true => text!("tried {}: nothing more can be left out\n", logs),
            false => text!(
                "tried {} until the time was over (--within): it may say more than is needed, so look through it before you show it to others\n",
                logs
            ),
        });
        if minimized.written == Written::ByAskedGuest {
            shown.push(&text!(
                "its events were decided by the scheduler that was asked, up to the one that it would not decide\n"
            ));
        }
        if let Some(divergence) = &minimized.audit.divergence {
            let report = audited::report(divergence, 2);
            shown.push(&text!("\nwhat is wrong with it:\n\n{}", report));
        }
        shown.push(&text!("\nthe workflow:\n\n"));
        let workflow: Value = serde_json::from_str(&recording.workflow)?;
        let workflow = serde_json::to_string_pretty(&workflow)?;
        shown.push(&text!("{}\n", Text::laid_out(&workflow)));
        shown.push(&match &minimized.table {
            Ok(table) => text!("\nas a test of schedulers:\n\n{}", Text::laid_out(table)),
            Err(why) => text!("\nit cannot be written as a test of schedulers: {}\n", why),
        });
        let again = audit_of(path, self.guest.as_deref());
        shown.push(&text!("\nnext: `{}` finds the same in it\n", again));
        Ok(shown)
    }
}

/// The command that audits a file, with this scheduler.
fn audit_of(path: &Path, guest: Option<&Path>) -> Text {
    let file = ("--file", path.as_os_str());
    let guest = guest.map(|guest| ("--guest", guest.as_os_str()));
    let options: Vec<_> = [file].into_iter().chain(guest).collect();
    to_type::with_options("audit", &options, &[""; 0], None)
}

fn document<'a>(
    minimized: &'a Minimized,
    path: &Path,
    guest: Option<&'a str>,
) -> anyhow::Result<Document<'a>> {
    let Minimized {
        recording,
        audit,
        audit_before,
        written,
        before,
        after,
        tried,
        is_complete,
        table,
        ..
    } = minimized;
    Ok(Document {
        execution_id: recording.execution_id.to_string(),
        file: path.display().to_string(),
        guest,
        written: *written,
        complete: *is_complete,
        tried: *tried,
        before: *before,
        after: *after,
        workflow: serde_json::from_str(&recording.workflow)?,
        table: table.as_deref().ok(),
        no_table: table.as_ref().err().map(String::as_str),
        verdict: audit.verdict.word(),
        divergence_before: audit_before.divergence.as_ref(),
        divergence: audit.divergence.as_ref(),
    })
}
