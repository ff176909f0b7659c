//! `refrain export`: an execution's log as a file that audits by itself.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use refrain::ErrorRemedy;
use refrain::replay::{Recording, from_store};

use super::Answer;
use super::coded::refuse;
use super::database::{self, Database};
use super::failure::curable;
use super::named::Named;
use super::text::{Text, text};
use super::{output, placed};

/// Write an execution's log as NDJSON: a header line, then an event a line
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: Named,
    /// Put the scheduler components into it that the log names: then an audit of the
    /// file needs nothing else
    #[arg(long)]
    with_guest: bool,
    /// Write there instead of to stdout, which `-` means too
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        execution,
        with_guest,
        output: file,
        database,
    } = arguments;
    let execution = execution.find(database)?;
    let (mut store, _) = database.holding(execution)?;
    let mut recording = match from_store(&mut store, execution)? {
        Some(Ok(recording)) => recording,
        Some(Err(unreadable)) => refuse!(
            "not_exported",
            "the log of {execution} cannot be exported: {}",
            unreadable.message
        ),
        None => return Err(database::missing(execution)),
    };
    if let Some(broken) = &recording.broken_off {
        return Err(curable(
            "not_exported",
            format!(
                "the log of {execution} cannot be exported: {}",
                broken.message
            ),
            ErrorRemedy::Audit(execution),
        ));
    }
    if *with_guest && let Some(missing) = recording.fetch_components(&mut store)?.first() {
        refuse!(
            "unknown_guest",
            "the scheduler component {missing}, which the log of {execution} names, is not in the database"
        );
    }
    match file.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            placed::write(path, Some(store.path()), |out| {
                recording.export(out).map(drop)
            })?;
            let events = recording.plain().count();
            output::say(&text!("{} events are in {}", events, path));
        }
        None if io::stdout().is_terminal() => shown(&recording)?,
        None => output::remember(
            output::stdout().and_then(|out| recording.export(BufWriter::new(out))?.flush()),
        ),
    }
    Ok(Answer::Good)
}

/// For a person's eyes; only a file or a pipe gets the log to the byte.
fn shown(recording: &Recording) -> anyhow::Result<()> {
    let log = String::from_utf8(recording.export(Vec::new())?)?;
    output::data(&Text::json(&log));
    Ok(())
}
