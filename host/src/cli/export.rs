//! `refrain export`: an execution's log as a file that audits by itself.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use refrain::id::ExecutionId;
use refrain::log::export;

use super::database::{self, Database};
use super::output;
use super::{Answer, log};

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
