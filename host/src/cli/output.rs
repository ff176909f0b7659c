//! Writing to stdout and stderr: data and talk, with colour only where a
//! person sees it and has not said no.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use refrain::contract::{NodeState, Status};
use refrain::names;
use serde::Serialize;

use super::stderr;

/// Write data to stdout.
pub(super) fn data(text: &str) -> anyhow::Result<()> {
    // A terminal shows both, and in this order.
    stderr::flush();
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to stdout")
}

/// Write one JSON document to stdout.
pub(super) fn document(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text =
        serde_json::to_string_pretty(value).context("cannot write the answer as JSON")?;
    text.push('\n');
    data(&text)
}

/// Say something to the person, on stderr.
pub(super) fn say(text: &str) {
    stderr::talk(&format!("{text}\n"));
}

/// Say on a terminal's stderr how far it is, in place of what was said so last.
pub(super) fn hint(text: &str) {
    stderr::log(format!("\r\x1b[K{text}").as_bytes());
}

/// Whether what goes there may be coloured.
pub(super) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
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
        }
    }

    /// The text in this colour, if colours are wanted.
    pub(super) fn on(self, text: &str, colours: bool) -> String {
        let code = match self {
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Dim => "2",
            Self::Plain => return text.to_owned(),
        };
        if colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A status as a person sees it.
pub(super) fn painted_status(status: Status, colours: bool) -> String {
    Paint::of_status(status).on(names::status(status), colours)
}
