//! `refrain export`: an execution's log as a file that audits by itself.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use refrain::id::ExecutionId;
use refrain::replay::{Recording, from_store};

use super::Answer;
use super::database::Database;
use super::output;

/// Write an execution's log as NDJSON: a header line, then an event a line
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: ExecutionId,
    /// Write there instead of to stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        execution,
        output: file,
        database,
    } = arguments;
    let recording = match from_store(&mut database.open()?, *execution)? {
        Some(Ok(recording)) => recording,
        Some(Err(unreadable)) => bail!(
            "the log of {execution} cannot be exported: {}",
            unreadable.message
        ),
        None => bail!("there is no execution {execution}; `refrain list` shows those there are"),
    };
    if let Some(broken) = &recording.broken_off {
        bail!(
            "the log of {execution} cannot be exported: {}; see `refrain audit {execution}`",
            broken.message
        );
    }
    match file {
        Some(path) => to_file(&recording, path)?,
        None => drop(
            recording
                .export(io::stdout().lock())
                .context("cannot write to stdout")?,
        ),
    }
    Ok(Answer::Good)
}

/// Through a file beside it, so that there is never half an export.
fn to_file(recording: &Recording, path: &Path) -> anyhow::Result<()> {
    let place = path.display();
    let mut name = path
        .file_name()
        .with_context(|| format!("{place} names no file"))?
        .to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|file| {
        let file = recording.export(BufWriter::new(file))?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(&part, path)
    });
    if written.is_err() {
        // It may not have been made at all.
        let _ = std::fs::remove_file(&part);
    }
    written.with_context(|| format!("cannot write {place}"))?;
    output::say(&format!("{} events are in {place}", recording.events.len()));
    Ok(())
}
