//! The built-in worker of the queue `command`: runs a program.
//!
//! No shell, unless the workflow writes one. The node's input is JSON on
//! stdin; a JSON object on stdout is the output and the patch, other JSON or
//! text goes under the node's id. `REFRAIN_EXECUTION`, `REFRAIN_NODE` and
//! `REFRAIN_ATTEMPT` in its environment say which attempt of what it is. When
//! the attempt is stopped, the program and all it started are killed.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

use crate::contract::WorkItem;
use crate::error::WorkError;
use crate::json::{Json, check};
use crate::limits::{COMMAND_STDERR_BYTES_MAX, PAYLOAD_BYTES_MAX};

use super::super::work::Answer;
use super::group::Group;

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

/// Run the program that the item's node names.
pub(crate) async fn run(item: WorkItem) -> Result<Answer, WorkError> {
    let (kind, input) = read(&item)
        .map_err(|error| WorkError::permanent(format!("the payload is no command: {error}")))?;
    let (program, arguments) = kind.argv.split_first().ok_or_else(|| {
        WorkError::permanent("the node's `argv` is empty; name the program first")
    })?;
    let mut child = start(&item, program, arguments, &kind)?;
    let mut group = Group::of(&child);
    let ended = converse(&mut child, input.as_str()).await;
    if ended.is_ok() {
        group.ended();
    }
    let (status, stdout, stderr) = ended?;
    if !status.success() {
        let error = WorkError::retryable(format!("{program} ended with {status}{}", tail(&stderr)));
        return Err(error.class("command_failed"));
    }
    answer(program, stdout)
}

fn read(item: &WorkItem) -> Result<(Kind, Json), serde_json::Error> {
    Ok((item.kind()?.parse()?, item.input()?))
}

fn start(
    item: &WorkItem,
    program: &str,
    arguments: &[String],
    kind: &Kind,
) -> Result<Child, WorkError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(&kind.env)
        .env("REFRAIN_EXECUTION", &item.execution_id)
        .env("REFRAIN_NODE", &item.node_id)
        .env("REFRAIN_ATTEMPT", item.attempt.to_string())
        .process_group(0)
        .kill_on_drop(true);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = &kind.cwd {
        command.current_dir(folder);
    }
    command.spawn().map_err(|error| {
        let place = kind
            .cwd
            .as_ref()
            .map(|folder| format!(" in {folder}"))
            .unwrap_or_default();
        WorkError::retryable(format!("{program} could not be started{place}: {error}"))
            .class("io_error")
    })
}

/// Write the input, read the output, wait for the end; all at once, so that
/// no pipe fills up while another is waited for.
async fn converse(
    child: &mut Child,
    input: &str,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), WorkError> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ((), stdout, stderr) = tokio::try_join!(
        write(stdin, input.as_bytes()),
        async {
            match stdout {
                Some(pipe) => read_all(pipe, PAYLOAD_BYTES_MAX).await,
                None => Ok(Vec::new()),
            }
        },
        async {
            match stderr {
                Some(pipe) => read_end(pipe, COMMAND_STDERR_BYTES_MAX).await,
                None => Ok(Vec::new()),
            }
        }
    )?;
    let status = child.wait().await.map_err(pipe_failed)?;
    Ok((status, stdout, stderr))
}

async fn write(pipe: Option<ChildStdin>, input: &[u8]) -> Result<(), WorkError> {
    let Some(mut pipe) = pipe else {
        return Ok(());
    };
    match pipe.write_all(input).await {
        // A program that does not care for its input is free not to read it.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(pipe_failed(error)),
        _ => Ok(()),
    }
}

/// All of the pipe; more than `bytes_max` is a failure.
async fn read_all(pipe: impl AsyncRead + Unpin, bytes_max: usize) -> Result<Vec<u8>, WorkError> {
    let mut bytes = Vec::new();
    pipe.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(pipe_failed)?;
    if bytes.len() > bytes_max {
        return Err(WorkError::permanent(format!(
            "the program wrote more than {bytes_max} bytes to stdout; write them to a file and print its name"
        )));
    }
    Ok(bytes)
}

/// The last `bytes_max` bytes of the pipe.
async fn read_end(
    mut pipe: impl AsyncRead + Unpin,
    bytes_max: usize,
) -> Result<Vec<u8>, WorkError> {
    let mut end = Vec::new();
    let mut chunk = vec![0; 8192];
    loop {
        let count = pipe.read(&mut chunk).await.map_err(pipe_failed)?;
        if count == 0 {
            return Ok(end);
        }
        end.extend_from_slice(&chunk[..count]);
        end.drain(..end.len().saturating_sub(bytes_max));
    }
}

fn pipe_failed(error: std::io::Error) -> WorkError {
    WorkError::retryable(format!("the program could not be talked to: {error}")).class("io_error")
}

/// What the program said last, for its failure.
fn tail(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim();
    if text.is_empty() {
        String::new()
    } else {
        format!("; it said: {text}")
    }
}

/// What stdout means.
fn answer(program: &str, stdout: Vec<u8>) -> Result<Answer, WorkError> {
    let refused =
        |problem: String| WorkError::permanent(format!("{program} wrote to stdout {problem}"));
    let text =
        String::from_utf8(stdout).map_err(|error| refused(format!("what is no UTF-8: {error}")))?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(Answer::output(Json::null()).patch(serde_json::json!({})));
    }
    if serde_json::from_str::<&serde_json::value::RawValue>(text).is_err() {
        return Ok(Answer::output(serde_json::Value::from(text)));
    }
    check(text, PAYLOAD_BYTES_MAX)
        .map_err(|error| refused(format!("JSON that is not accepted: {error}")))?;
    Ok(Answer::output(Json::trusted(text.to_owned())))
}
