//! The built-in worker of the queue `command`: runs a program.
//!
//! No shell, unless the workflow writes one. The node's input is JSON on
//! stdin; a JSON object on stdout is the output and the patch, other JSON or
//! text goes under the node's id. `REFRAIN_EXECUTION`, `REFRAIN_NODE` and
//! `REFRAIN_ATTEMPT` in its environment say which attempt of what it is. It
//! has no terminal. The node is settled when the program has ended, whatever it
//! leaves behind. When the attempt is stopped, the program and all it started
//! are told to end, and killed if they do not.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;
use serde::Deserialize;

use crate::error::WorkError;
use crate::json::Json;
use crate::model::WorkItem;

use super::attempt::UntilEnd;
use super::meaning;
use super::program::Program;
use super::programs::Programs;
use super::secrets::hidden_in_urls;
use super::spawn::Start;
use crate::live::values::work::Answer;

/// The node's `kind`, as far as this worker reads it.
#[derive(Deserialize)]
struct Kind {
    /// The program and its arguments.
    argv: Vec<String>,
    /// Where it runs; the engine's own folder unless said.
    #[serde(default)]
    cwd: Option<String>,
    /// Variables on top of the engine's environment.
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Run the program that the item's node names. The attempt has not ended before it has.
pub(crate) async fn run(
    item: WorkItem,
    programs: Arc<Programs>,
    until_end: UntilEnd,
) -> Result<Answer, WorkError> {
    let (kind, input) = read(&item)
        .map_err(|error| WorkError::permanent(format!("the payload is no command: {error}")))?;
    let (program, arguments) = kind.argv.split_first().ok_or_else(|| {
        WorkError::permanent("the node's `argv` is empty; name the program first")
    })?;
    let start = start(&item, program, arguments, &kind);
    let running = Program::start(&start, &programs, until_end)
        .map_err(|error| not_started(program, &kind, &error))?;
    let ended = running.converse(input.as_str()).await?;
    let status = ended.status;
    if !status.success() {
        let said = tail(&ended.stderr);
        let error = WorkError::retryable(format!("{program} ended with {status}{said}"));
        return Err(error.class("command_failed"));
    }
    meaning::of(ended.stdout)
        .map_err(|problem| WorkError::permanent(format!("{program} wrote to stdout {problem}")))
}

fn read(item: &WorkItem) -> Result<(Kind, Json), serde_json::Error> {
    Ok((item.kind()?.parse()?, item.input()?))
}

fn start<'a>(
    item: &WorkItem,
    program: &'a str,
    arguments: &'a [String],
    kind: &'a Kind,
) -> Start<'a> {
    let of_node = kind
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    let of_attempt = [
        ("REFRAIN_EXECUTION", item.execution_id.clone()),
        ("REFRAIN_NODE", item.node_id.clone()),
        ("REFRAIN_ATTEMPT", item.attempt.to_string()),
    ];
    Start {
        program,
        arguments,
        folder: kind.cwd.as_deref(),
        env: of_node.chain(of_attempt).collect(),
    }
}

fn not_started(program: &str, kind: &Kind, error: &io::Error) -> WorkError {
    let place = kind
        .cwd
        .as_ref()
        .map(|folder| format!(" in {folder}"))
        .unwrap_or_default();
    let said = format!("{program:?} could not be started{place}: {error}");
    if may_pass(error) {
        WorkError::retryable(said).class("io_error")
    } else {
        WorkError::permanent(said).class("not_started")
    }
}

/// Whether a program that could not be started may be started later as it is
/// written. What is wrong with its name, its arguments, its file or its rights
/// is for a person to correct; `refrain retry` goes on then.
fn may_pass(error: &io::Error) -> bool {
    let Some(code) = Errno::from_io_error(error) else {
        // A NUL in an argument never reaches the system.
        return error.kind() != io::ErrorKind::InvalidInput;
    };
    !matches!(
        code,
        Errno::NOENT
            | Errno::ACCESS
            | Errno::PERM
            | Errno::NOEXEC
            | Errno::TOOBIG
            | Errno::NOTDIR
            | Errno::ISDIR
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::INVAL
    )
}

/// What the program said last, for its failure.
fn tail(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = hidden_in_urls(text.trim());
    if text.is_empty() {
        String::new()
    } else {
        format!("; it said: {text}")
    }
}
