//! One program that does the work of one attempt, from its start to what its
//! end means.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use crate::error::WorkError;
use crate::model::WorkItem;
use crate::secrets::PREFIX;

use super::attempt::UntilEnd;
use super::meaning::{self, OutputForm};
use super::program::{Ended, Program};
use super::programs::Programs;
use super::said::Said;
use super::secrets::hidden_in_urls;
use super::spawn::Start;
use crate::live::values::work::Answer;

/// How a program is called, whatever it is for.
pub(super) struct Call<'a> {
    pub(super) program: &'a str,
    pub(super) arguments: &'a [String],
    /// Where it runs; in the folder of this process unless said.
    pub(super) folder: Option<&'a str>,
    /// Variables on top of those of this process.
    pub(super) env: BTreeMap<&'a str, String>,
    /// What of its output is the answer; as it looks unless said.
    pub(super) output: Option<OutputForm>,
}

/// Run a program for this item: `input` goes to its stdin, and what it writes to
/// stdout is the answer. The attempt has not ended before it has.
pub(super) async fn run(
    item: &WorkItem,
    call: Call<'_>,
    input: &str,
    programs: &Arc<Programs>,
    until_end: UntilEnd,
) -> Result<Answer, WorkError> {
    let Call {
        program,
        arguments,
        folder,
        mut env,
        output,
    } = call;
    env.extend([
        ("REFRAIN_EXECUTION", item.execution_id.clone()),
        ("REFRAIN_NODE", item.node_id.clone()),
        ("REFRAIN_ATTEMPT", item.attempt.to_string()),
        ("REFRAIN_QUEUE", item.queue.clone()),
    ]);
    let start = Start {
        program,
        arguments,
        folder,
        input,
        env,
        is_hidden,
    };
    let (said, masks) = (Said::new(&until_end), until_end.masks().clone());
    let running = Program::start(&start, programs, until_end).map_err(|error| {
        let folder = folder.map(|folder| masks.hide(folder));
        not_started(&masks.hide(program), folder.as_deref(), &error)
    })?;
    let ended = said.meanwhile(running.converse(input, &said, &masks)).await;
    let outcome = ended.and_then(|ended| meaning_of(program, ended, output));
    said.end(outcome.is_ok());
    outcome
}

/// The variables of this process that no program is given: secrets, what this process
/// proves itself with, and the URL of a database if a password stands in it.
fn is_hidden(name: &OsStr, value: &OsStr) -> bool {
    const BEGINNINGS: [&str; 3] = [PREFIX, "REFRAIN_TOKEN", "REFRAIN_KEY"];
    const DATABASE: &str = "REFRAIN_DB";
    let begins = |with: &str| name.as_encoded_bytes().starts_with(with.as_bytes());
    let has_password = || {
        let value = value.to_string_lossy();
        hidden_in_urls(&value) != value
    };
    BEGINNINGS.into_iter().any(begins) || (name == DATABASE && has_password())
}

/// What a program's end means.
fn meaning_of(
    program: &str,
    ended: Ended,
    output: Option<OutputForm>,
) -> Result<Answer, WorkError> {
    let status = ended.status;
    if !status.success() {
        let said = tail(&ended.stderr);
        let error = WorkError::retryable(format!("{program} ended with {status}{said}"));
        return Err(error.class("command_failed"));
    }
    let meant = match output {
        Some(form) => meaning::of_form(ended.stdout, form),
        None => meaning::of(ended.stdout),
    };
    meant.map_err(|problem| WorkError::permanent(format!("{program} wrote to stdout {problem}")))
}

fn not_started(program: &str, folder: Option<&str>, error: &io::Error) -> WorkError {
    let place = folder
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r29_no_program_is_given_what_this_process_proves_itself_with() {
        for (name, value, hidden) in [
            ("REFRAIN_SECRET_PIN", "1234", true),
            ("REFRAIN_TOKEN", "t", true),
            ("REFRAIN_TOKEN_FILE", "t", true),
            ("REFRAIN_KEY", "k", true),
            ("REFRAIN_DB", "postgres://me:pw@host/refrain", true),
            ("REFRAIN_DB", "postgres://me@host/refrain", true),
            ("REFRAIN_DB", "postgres://host/refrain", false),
            ("REFRAIN_DB", "/var/lib/refrain.db", false),
            ("REFRAIN_NODE", "a", false),
            ("DATABASE_URL", "postgres://me:pw@host/mine", false),
            ("PATH", "/bin", false),
        ] {
            let found = is_hidden(OsStr::new(name), OsStr::new(value));
            assert_eq!(found, hidden, "{name}={value}");
        }
    }
}
