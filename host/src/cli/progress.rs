//! Progress for people: a line for each node as it is settled or fails, and,
//! on a terminal, a line of counts below that keeps up.

use std::io::{self, IsTerminal};
use std::time::Instant;

use refrain::contract::{EventKind, NodeState, RetryScheduled, TimerCreated};
use refrain::names;
use refrain::store::{StoredEvent, Timestamp};

use super::output::{self, Paint};
use super::stderr;
use super::time::span;
use super::watch::Seen;

/// The states that are counted, in the order in which they are told.
const COUNTED: [NodeState; 7] = [
    NodeState::Running,
    NodeState::Scheduled,
    NodeState::BackingOff,
    NodeState::Waiting,
    NodeState::Completed,
    NodeState::Skipped,
    NodeState::Failed,
];

/// Writes progress to stderr.
pub(super) struct Progress {
    terminal: bool,
    colours: bool,
    /// Whether lines say which execution they are about.
    several: bool,
    /// How wide node names have been so far.
    width: usize,
    /// Whether the line of counts stands below.
    counted: bool,
    begun: Instant,
}

impl Progress {
    /// Nothing said yet. `several`: more than one execution is watched.
    pub(super) fn new(several: bool) -> Self {
        let stderr = io::stderr();
        let (terminal, colours) = (stderr.is_terminal(), output::colours(&stderr));
        Self {
            terminal,
            colours,
            several,
            width: 12,
            counted: false,
            begun: Instant::now(),
        }
    }

    /// Say what an event means to a person, if it does.
    pub(super) fn event(&mut self, seen: &Seen, stored: &StoredEvent) {
        let event = &stored.event;
        let (node, word, paint, rest) = match &event.kind {
            EventKind::NodeCompleted(e) => (
                &e.node_id,
                "completed",
                Paint::Green,
                finish(seen, &e.node_id),
            ),
            EventKind::NodeExhausted(e) => (&e.node_id, "failed", Paint::Red, one_line(&e.error)),
            EventKind::NodeSkipped(e) => (&e.node_id, "skipped", Paint::Dim, String::new()),
            EventKind::NodeCancelled(e) => (&e.node_id, "cancelled", Paint::Yellow, String::new()),
            EventKind::RetryScheduled(e) => (&e.node_id, "again", Paint::Yellow, retry(seen, e)),
            EventKind::InterruptRaised(e) => (
                &e.node_id,
                "waits",
                Paint::Yellow,
                "for an approval".to_owned(),
            ),
            EventKind::TimerCreated(e) => (&e.node_id, "waits", Paint::Yellow, wait(e, event.at)),
            EventKind::ExecutionPaused(_) => return self.whole(seen, "is paused", Paint::Yellow),
            EventKind::ExecutionUnpaused(_) => return self.whole(seen, "goes on", Paint::Blue),
            EventKind::CancelRequested(_) => {
                return self.whole(seen, "is being cancelled", Paint::Yellow);
            }
            EventKind::WorkflowTimedOut => return self.whole(seen, "ran out of time", Paint::Red),
            // Why, and what to do, is told at the end.
            EventKind::Stalled(_) => return self.whole(seen, "is stalled", Paint::Yellow),
            _ => return,
        };
        self.width = node.chars().count().clamp(self.width, 40);
        let at = span(event.at.saturating_sub(seen.record.started_at));
        let word = paint.on(&format!("{word:<9}"), self.colours);
        let line = format!(
            "{at:>9}  {node:<width$}  {word}  {rest}",
            width = self.width
        );
        self.line(seen, line.trim_end());
    }

    /// Bring the line of counts up to date.
    pub(super) fn counts<'a>(&mut self, all: impl Iterator<Item = &'a Seen>) {
        if !self.terminal {
            return;
        }
        let mut counts = COUNTED.map(|state| (state, 0));
        for node in all.flat_map(|seen| seen.nodes.iter()) {
            if let Some((_, count)) = counts.iter_mut().find(|(state, _)| *state == node.state) {
                *count += 1;
            }
        }
        let words: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| {
                format!("{count} {}", names::node_state(*state).replace('_', " "))
            })
            .collect();
        let elapsed = span(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        let line = Paint::Dim.on(&format!("{elapsed:>9}  {}", words.join(", ")), self.colours);
        stderr::log(format!("\r\x1b[K{line}").as_bytes());
        self.counted = true;
    }

    /// Say something between the lines.
    pub(super) fn say(&mut self, text: &str) {
        self.clear();
        stderr::talk(&format!("{text}\n"));
    }

    /// Take the line of counts away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.counted) {
            stderr::talk("\r\x1b[K");
        }
    }

    /// Something about the execution as a whole.
    fn whole(&mut self, seen: &Seen, text: &str, paint: Paint) {
        let text = paint.on(text, self.colours);
        self.line(seen, &format!("{:>9}  the execution {text}", ""));
    }

    fn line(&mut self, seen: &Seen, line: &str) {
        if self.several {
            let id = seen.record.id.to_string();
            self.say(&format!("{}  {line}", &id[..id.len().min(13)]));
        } else {
            self.say(line);
        }
    }
}

fn finish(seen: &Seen, node: &str) -> String {
    let Some(node) = seen.nodes.named(node) else {
        return String::new();
    };
    let took = node
        .took_ms()
        .map_or(String::new(), |ms| format!("in {}", span(ms)));
    if node.attempts > 1 {
        format!("{took}, at attempt {}", node.attempts)
    } else {
        took
    }
}

fn retry(seen: &Seen, retry: &RetryScheduled) -> String {
    let error = seen
        .nodes
        .named(&retry.node_id)
        .and_then(|node| node.error.as_deref())
        .map(one_line);
    let error = error.map_or(String::new(), |error| format!(", after: {error}"));
    format!(
        "attempt {} in {}{error}",
        retry.attempt,
        span(retry.delay_ms)
    )
}

fn wait(timer: &TimerCreated, now: Timestamp) -> String {
    let time = timer.fire_at.map(|until| span(until.saturating_sub(now)));
    match (&timer.correlation_key, time) {
        (Some(key), Some(time)) => format!("for the external event {key:?}, at most {time}"),
        (Some(key), None) => format!("for the external event {key:?}"),
        (None, Some(time)) => format!("for {time}"),
        (None, None) => String::new(),
    }
}

/// A text in one line that is not too long; `refrain show` has all of it.
fn one_line(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let line = text.replace(['\n', '\r'], " ");
    match line.char_indices().nth(CHARS_MAX) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}
