//! `refrain output`: what the programs of a node have written.

use std::io::{IsTerminal, Write};
use std::thread::sleep;
use std::time::Duration;

use refrain::EngineError;
use refrain::model::NodeState;
use refrain::names;
use refrain::replay::nodes::Node;
use refrain::store::{
    ExecutionRecord, KeptOutput, OutputPiece, OutputStream, Reader, StoreError, at_one_moment,
    ended,
};
use serde::Serialize;
use serde_json::json;

use super::attempts::Attempts;
use super::coded::refuse;
use super::database::Database;
use super::named::{self, Named};
use super::output::{self, Form};
use super::text::{Text, text};
use super::{Answer, damage, leaf, show};

/// How often to look for more while a program runs. It stores what is new every half
/// second.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Print what the programs of a node have written: stderr, and stdout as far as that is
/// not the answer
///
/// Some of the newest is kept of each execution, next to its log, for as long as the
/// execution is not erased. What an attempt answered, `refrain log` shows.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: Named,
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    /// Of this attempt, from 1; of the last, unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
    /// Only what was written to stdout
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Only what was written to stderr
    #[arg(long)]
    stderr: bool,
    /// Go on until the attempt has ended, also where it has not begun
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

/// What there is to print, so far.
struct Printed {
    /// How many bytes of each stream were printed or dropped.
    until: [u64; 2],
    dropped: [u64; 2],
    /// The beginnings of lines, for a terminal, which is shown whole ones.
    begun: [Vec<u8>; 2],
    /// All of it, for a document.
    pieces: Vec<OutputPiece>,
    has_any: bool,
}

#[derive(Serialize)]
struct PieceDocument<'a> {
    stream: &'static str,
    start: u64,
    text: std::borrow::Cow<'a, str>,
}

pub(super) fn run(mut arguments: Arguments) -> anyhow::Result<Answer> {
    let execution = arguments.execution.find(&arguments.database)?;
    let (execution, node) = named::below(&arguments.database, execution, &arguments.node)?;
    arguments.node = node;
    let arguments = &arguments;
    let (mut store, record) = damage::checked(&arguments.database, execution)?;
    let mut attempts = Attempts::of(&arguments.node);
    let mut printed = Printed::new();
    let mut place = 0;
    let (attempt, is_over) = loop {
        let look = at_one_moment(&mut store, |store| {
            look(store, &record, (&arguments.node, place), &mut attempts)
        });
        let (kept, is_ended) = look?;
        if !attempts.is_known() && !is_of_workflow(arguments, &mut store, &record)? {
            return Err(EngineError::UnknownNode {
                execution,
                node_id: arguments.node.clone(),
            }
            .into());
        }
        // The last one is known when it has begun, and stays the one that is followed.
        let attempt = arguments.attempt.or(attempts.last());
        place = kept.last().map_or(place, |kept| kept.place);
        let of_attempt = kept.into_iter().filter(|it| Some(it.attempt) == attempt);
        let pieces = of_attempt.map(|kept| kept.piece);
        printed.take(
            pieces.filter(|piece| arguments.wants(piece.stream)),
            arguments,
        );
        let is_over = attempts.is_over(attempt) || is_ended;
        if !arguments.follow || is_over {
            break (attempt, is_over);
        }
        sleep(LOOK_EVERY);
    };
    printed.end(arguments);
    let last = attempts.last().unwrap_or(0);
    if is_over && record.erased.is_none() && arguments.attempt > Some(last) {
        refuse!(
            "unknown_attempt",
            "node {:?} has had {}",
            arguments.node,
            match last {
                0 => "no attempt".to_owned(),
                1 => "1 attempt, and none after that".to_owned(),
                many => format!("{many} attempts, and none after that"),
            }
        );
    }
    if arguments.form.json {
        return document(&record, arguments, attempt, is_over, &printed);
    }
    if !printed.has_any {
        let why = match attempt {
            None if record.erased.is_none() => {
                no_attempt(arguments, &mut store, &record, &attempts)?
            }
            Some(attempt) if attempt > last && record.erased.is_none() => {
                text!("attempt {} of {} has not begun", attempt, arguments.node)
            }
            _ => nothing(arguments, &record, attempt, is_over),
        };
        output::say(&why);
    }
    Ok(Answer::Good)
}

/// What is kept of the node behind this place, what the log says of its attempts, and
/// whether the execution has ended: all of one moment.
fn look(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    (node, place): (&str, u64),
    attempts: &mut Attempts,
) -> Result<(Vec<KeptOutput>, bool), StoreError> {
    let status = store.execution(record.id)?.map(|record| record.status);
    attempts.read_on(store, record.id)?;
    let kept = store.output(record.id, node, place)?;
    Ok((kept, status.is_none_or(ended)))
}

fn is_of_workflow(
    arguments: &Arguments,
    store: &mut dyn Reader,
    record: &ExecutionRecord,
) -> anyhow::Result<bool> {
    let ids = show::node_ids(store, record)?;
    Ok(ids.contains(&arguments.node))
}

impl Arguments {
    fn wants(&self, stream: OutputStream) -> bool {
        match stream {
            OutputStream::Stdout => !self.stderr,
            OutputStream::Stderr => !self.stdout,
        }
    }
}

impl Printed {
    fn new() -> Self {
        Self {
            until: [0; 2],
            dropped: [0; 2],
            begun: [Vec::new(), Vec::new()],
            pieces: Vec::new(),
            has_any: false,
        }
    }

    fn take(&mut self, pieces: impl Iterator<Item = OutputPiece>, arguments: &Arguments) {
        for piece in pieces {
            let of = piece.stream as usize;
            let dropped = piece.start.saturating_sub(self.until[of]);
            if dropped > 0 {
                self.dropped[of] += dropped;
                self.end_line(of, arguments);
                output::say(&text!(
                    "{} bytes of {} were dropped here: only the newest are kept",
                    dropped,
                    piece.stream.name()
                ));
            }
            self.until[of] = piece.end();
            self.has_any = true;
            if arguments.form.json {
                self.keep(piece);
            } else if std::io::stdout().is_terminal() {
                self.show(of, &piece.bytes);
            } else {
                // As it came: its reader wants just that.
                let written = output::stdout().and_then(|mut out| out.write_all(&piece.bytes));
                output::remember(written);
            }
        }
    }

    /// Pieces that follow on one another are one.
    fn keep(&mut self, piece: OutputPiece) {
        match self.pieces.last_mut() {
            Some(last) if last.stream == piece.stream && last.end() == piece.start => {
                last.bytes.extend(piece.bytes);
            }
            _ => self.pieces.push(piece),
        }
    }

    /// Shows whole lines; nothing in them steers the terminal.
    fn show(&mut self, of: usize, bytes: &[u8]) {
        let begun = &mut self.begun[of];
        begun.extend(bytes);
        let Some(end) = begun.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let lines: Vec<u8> = begun.drain(..=end).collect();
        for line in String::from_utf8_lossy(&lines).lines() {
            output::data(&text!("{}\n", line));
        }
    }

    fn end_line(&mut self, of: usize, arguments: &Arguments) {
        if !self.begun[of].is_empty() && !arguments.form.json {
            self.show(of, b"\n");
        }
    }

    fn end(&mut self, arguments: &Arguments) {
        (0..self.begun.len()).for_each(|of| self.end_line(of, arguments));
    }
}

fn document(
    record: &ExecutionRecord,
    arguments: &Arguments,
    attempt: Option<u32>,
    is_over: bool,
    printed: &Printed,
) -> anyhow::Result<Answer> {
    let pieces = printed.pieces.iter().map(|piece| PieceDocument {
        stream: piece.stream.name(),
        start: piece.start,
        text: String::from_utf8_lossy(&piece.bytes),
    });
    let [stdout, stderr] = printed.dropped;
    output::document(&json!({
        "execution_id": record.id.to_string(),
        "node_id": arguments.node,
        "attempt": attempt,
        "ended": is_over,
        "output": pieces.collect::<Vec<_>>(),
        "dropped_bytes": { "stdout": stdout, "stderr": stderr },
    }))?;
    Ok(Answer::Good)
}

/// Why no attempt has begun; what of it runs programs, if something does.
fn no_attempt(
    arguments: &Arguments,
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    attempts: &Attempts,
) -> anyhow::Result<Text> {
    let named = &arguments.node;
    let command = |id: &str, node: &str| arguments.database.command("output", &[id, node]);
    let id = record.id.to_string();
    let Some(node) = attempts.node() else {
        return Ok(text!("{} has not begun", named));
    };
    if node.child {
        let children = store.children(record.id)?;
        let last = children.iter().rev().find(|it| it.node_id == *named);
        let child = last.map_or(Text::new(), |it| {
            let child = it.child.to_string();
            text!("; its child is {}: {}", child, command(&child, "NODE"))
        });
        return Ok(text!("{} runs no program itself{}", named, child));
    }
    if node.instances.is_some() {
        let first = format!("{named}[0]");
        return Ok(text!(
            "{} is a map, and its instances run programs: {}",
            named,
            command(&id, &first)
        ));
    }
    Ok(match (&node.queue, node.state) {
        (_, NodeState::Scheduled | NodeState::BackingOff) => text!("{} has not begun", named),
        (None, NodeState::Failed) => text!(
            "{} failed before its first attempt, and no program of it has run{}",
            named,
            why_it_failed(store, record, node)?
        ),
        (None, NodeState::Pending | NodeState::Ready) => text!("{} has not begun", named),
        (None, NodeState::Skipped | NodeState::Cancelled) => text!(
            "{} was {} before its first attempt, and no program of it has run",
            named,
            names::node_state(node.state)
        ),
        (None, _) => text!("{} runs no program", named),
        (Some(_), state) => text!(
            "{} is {}, and no program of it has run",
            named,
            names::node_state(state).replace('_', " ")
        ),
    })
}

/// Why a node failed, behind what is said of it.
fn why_it_failed(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    node: &Node,
) -> anyhow::Result<Text> {
    let leaf = leaf::of(store, record.id, &node.id)?.map(|leaf| leaf.error);
    let error = leaf.or_else(|| node.error.clone());
    Ok(error.map_or(Text::new(), |error| text!(": {}", Text::lines(&error))))
}

/// Why there is nothing.
fn nothing(
    arguments: &Arguments,
    record: &ExecutionRecord,
    attempt: Option<u32>,
    is_over: bool,
) -> Text {
    if record.erased.is_some() {
        return text!("{} is erased, with all output of it", record.id);
    }
    let Some(attempt) = attempt else {
        return text!("{} has not begun", arguments.node);
    };
    match is_over {
        true => text!(
            "of attempt {} of {} no output is kept; its answer, if it gave one, is in the log: {}",
            attempt,
            arguments.node,
            arguments.database.command("log", &[record.id.to_string()])
        ),
        false => text!(
            "attempt {} of {} has written nothing yet",
            attempt,
            arguments.node
        ),
    }
}
