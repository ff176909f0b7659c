//! Writing to stdout and stderr: data and talk, with colour only where a
//! person sees it and has not said no.
//!
//! The verdict of a command is its exit code, whatever becomes of its output:
//! what could not be written to stdout is remembered, and told at the end.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use refrain::model::{NodeState, Status};
use serde::Serialize;

use super::stderr;
use super::text::{Text, text};

/// The form of an answer.
#[derive(Clone, Copy, Default, clap::Args)]
pub(super) struct Form {
    /// Answer with one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Why not all could be written to stdout.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Whether one JSON document is to stand on stdout, and none does yet.
static DOCUMENT_IS_OWED: AtomicBool = AtomicBool::new(false);

/// Whether each document is written in one line.
static ONE_A_LINE: AtomicBool = AtomicBool::new(false);

/// From now on, each document is written in one line.
pub(super) fn one_document_a_line() {
    ONE_A_LINE.store(true, Ordering::Relaxed);
}

/// One JSON document was asked for (`--json`).
pub(super) fn owe_document() {
    DOCUMENT_IS_OWED.store(true, Ordering::Relaxed);
}

/// Whether a document was asked for, and none was written.
pub(super) fn owes_document() -> bool {
    DOCUMENT_IS_OWED.load(Ordering::Relaxed)
}

/// Write data to stdout.
pub(super) fn data(text: &Text) {
    // A terminal shows both, and in this order.
    stderr::flush();
    let written = stdout().and_then(|mut out| out.write_all(text.as_str().as_bytes()));
    remember(written);
}

/// Write one JSON document to stdout.
pub(super) fn document(value: &impl Serialize) -> anyhow::Result<()> {
    let json = match ONE_A_LINE.load(Ordering::Relaxed) {
        true => serde_json::to_string(value),
        false => serde_json::to_string_pretty(value),
    };
    let mut json = json.context("cannot write the answer as JSON")?;
    json.push('\n');
    DOCUMENT_IS_OWED.store(false, Ordering::Relaxed);
    data(&Text::json(&json));
    Ok(())
}

/// Write one JSON document to stdout, where nobody could do anything about an error.
pub(super) fn remember_document(value: &impl Serialize) {
    if let Err(error) = document(value) {
        tell(&text!("error: {}", error.to_string()));
    }
}

/// Stdout, for what is written as it is. Without the standard library's
/// buffer, which hides that nothing can be written there.
pub(super) fn stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Take note of how writing to stdout went.
pub(super) fn remember(written: io::Result<()>) {
    if let Err(error) = written {
        // The first trouble is what there is to tell.
        let _ = UNWRITTEN.set(error);
    }
}

/// Why not all could be written to stdout, if so.
pub(super) fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// How much is said besides what was asked for.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From now on, nothing is said but what went wrong.
pub(super) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Whether nothing is to be said but what went wrong.
pub(super) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Say something to the person, on stderr, who may not want to hear it.
pub(super) fn say(text: &Text) {
    if !is_quiet() {
        tell(text);
    }
}

/// Tell the person, on stderr, of what went wrong.
pub(super) fn tell(text: &Text) {
    stderr::talk(&text!("{}\n", text));
}

/// Whether what goes there may be coloured.
pub(super) fn colours(stream: &impl IsTerminal) -> bool {
    takes_escapes(stream) && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether what goes there is a terminal that knows escape sequences.
pub(super) fn takes_escapes(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// How a word is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Green,
    Red,
    Yellow,
    Blue,
    Dim,
}

impl Paint {
    pub(super) fn of_status(status: Status) -> Self {
        match status {
            Status::Running => Self::Blue,
            Status::Paused | Status::Stalled | Status::Cancelled => Self::Yellow,
            Status::Completed => Self::Green,
            Status::Failed => Self::Red,
        }
    }

    pub(super) fn of_node(state: NodeState) -> Self {
        match state {
            NodeState::Completed => Self::Green,
            NodeState::Failed | NodeState::Failing => Self::Red,
            NodeState::BackingOff | NodeState::Waiting | NodeState::Cancelled => Self::Yellow,
            NodeState::Ready | NodeState::Scheduled | NodeState::Running => Self::Blue,
            NodeState::Pending | NodeState::Skipped => Self::Dim,
            _ => Self::Plain,
        }
    }

    /// What a terminal calls it.
    pub(super) fn code(self) -> Option<&'static str> {
        match self {
            Self::Green => Some("32"),
            Self::Red => Some("31"),
            Self::Yellow => Some("33"),
            Self::Blue => Some("34"),
            Self::Dim => Some("2"),
            Self::Plain => None,
        }
    }

    /// Words of this program in this colour, if colours are wanted.
    pub(super) fn on(self, text: &str, colours: bool) -> Text {
        Text::word(text).painted(self, colours)
    }
}
