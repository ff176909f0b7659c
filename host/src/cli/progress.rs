//! Progress for people: a line for each node as it is settled or fails, and,
//! on a terminal, a line of counts below that keeps up.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use refrain::id::ExecutionId;
use refrain::model::{
    ChildEnded, Event, EventKind, NodeCompleted, NodeSettled, NodeState, RetryScheduled,
    StallReason, Stalled, Status, TimerCreated,
};
use refrain::names;
use refrain::replay::nodes::is_one_of_many;
use refrain::store::{StoredEvent, Timestamp};

use super::node_table::{instances_in_words, widest};
use super::output::{self, Paint};
use super::seen::{ChildOf, Seen};
use super::terminal::StatusLine;
use super::text::{Text, text};
use super::time::span;

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

/// As many columns as names of nodes are made as wide as.
const NAMES_MAX: usize = 40;

/// Writes progress to stderr.
pub(super) struct Progress {
    colours: bool,
    /// Whether lines say which execution they are about.
    several: bool,
    /// How wide node names have been so far.
    width: usize,
    /// The line of counts.
    below: StatusLine,
    /// How many nodes of each execution are in each of [`COUNTED`], and of all.
    counts: HashMap<ExecutionId, [u64; COUNTED.len()]>,
    total: [u64; COUNTED.len()],
    begun: Instant,
    /// What is to be said of the events of one look.
    lines: Vec<Line>,
}

/// What is said of an event.
struct Line {
    /// The execution that is watched.
    root: ExecutionId,
    at: Timestamp,
    /// Whether it follows from the end of a child at that time.
    follows: bool,
    /// How far the execution is from that one.
    depth: usize,
    text: Text,
    /// What stands behind that, where all of a look has to be known for it.
    rest: Option<Rest>,
}

/// What is said of a node when all of a look is known: what is decided together stands in
/// several events.
struct Rest {
    execution: ExecutionId,
    node: String,
    of: RestOf,
}

enum RestOf {
    /// A map has ended: its instances are counted.
    Map,
    /// The child of its first iteration has ended well: is there another?
    FirstIteration,
}

impl Progress {
    /// Nothing said yet. `several`: more than one execution is watched.
    pub(super) fn new(several: bool) -> Self {
        Self {
            colours: output::colours(&io::stderr()),
            several,
            width: 12,
            below: StatusLine::new(),
            counts: HashMap::new(),
            total: [0; COUNTED.len()],
            begun: Instant::now(),
            lines: Vec::new(),
        }
    }

    /// Nodes of this workflow, and of those within it, are going to be told of.
    pub(super) fn expect(&mut self, workflow: &str) {
        // What it is not, somebody else says.
        let workflow = serde_json::from_str(workflow).unwrap_or_default();
        self.width = widest(&workflow).clamp(self.width, NAMES_MAX);
    }

    /// Take note of what an event means to a person, if it does.
    pub(super) fn event(&mut self, seen: &Seen, stored: &StoredEvent) {
        let event = &stored.event;
        // What stood in its log before is no progress, and what a tampered log says may be
        // what somebody else has written.
        if seen.is_past(event) || seen.record.tampering.is_some() {
            return;
        }
        let Some(line) = self.in_words(seen, event) else {
            return;
        };
        let root = seen.root();
        let rest = rest(seen, event);
        let line = match rest {
            Some(_) => line,
            None => line.trimmed(),
        };
        self.lines.push(Line {
            root,
            at: event.at,
            follows: seen.told_of_child_at == Some(event.at),
            depth: seen.way().matches('/').count(),
            text: match self.several {
                true => text!("{}  {}", cut(&root.to_string()), line),
                false => line,
            },
            rest,
        });
    }

    /// Say what was taken note of: of each execution that is watched in the order of time, a
    /// child between what led to it and what follows from its end. `seen` is what was seen
    /// of an execution.
    pub(super) fn events<'s>(&mut self, seen: impl Fn(ExecutionId) -> Option<&'s Seen>) {
        let mut lines = std::mem::take(&mut self.lines);
        let mut places = HashMap::new();
        for line in &lines {
            let place = places.len();
            places.entry(line.root).or_insert(place);
        }
        lines.sort_by_key(|line| (places[&line.root], line.at, line.follows, line.depth));
        for mut line in lines {
            if let Some(rest) = &line.rest {
                let said = seen(rest.execution).map(|seen| rest.text(seen));
                line.text.push(&said.unwrap_or_default());
                line.text = line.text.trimmed();
            }
            self.say(&line.text);
        }
    }

    fn in_words(&mut self, seen: &Seen, event: &Event) -> Option<Text> {
        let whole = |text: &str, paint: Paint| {
            if seen.child_of.is_some() {
                // What becomes of a child is told of its parent's node.
                return None;
            }
            let text = paint.on(text, self.colours);
            let at = span(event.at.saturating_sub(seen.root_began_at()));
            let at = Text::word(&at).aligned_right(9);
            Some(text!("{}  the execution {}", at, text))
        };
        let (node, word, paint, rest) = match &event.kind {
            EventKind::NodeCompleted(NodeCompleted { node_id, .. })
            | EventKind::NodeSettled(NodeSettled { node_id, .. }) => {
                (node_id, "completed", Paint::Green, finish(seen, node_id))
            }
            EventKind::ChildEnded(e) if e.status == Status::Completed => {
                (&e.node_id, "child", Paint::Green, child(e))
            }
            EventKind::ChildRequested(e) if e.attempt > 1 => {
                let after = after(seen, &e.node_id);
                let again = text!("attempt {}{}", e.attempt, after);
                (&e.node_id, "again", Paint::Yellow, again)
            }
            EventKind::NodeExhausted(e) => (&e.node_id, "failed", Paint::Red, {
                // The node knows more of it than its last event.
                let node = seen.nodes.named(&e.node_id);
                let error = node.and_then(|node| node.error.as_deref());
                one_line(error.unwrap_or_default())
            }),
            EventKind::NodeSkipped(e) => (&e.node_id, "skipped", Paint::Dim, Text::new()),
            EventKind::NodeCancelled(e) => (&e.node_id, "cancelled", Paint::Yellow, Text::new()),
            EventKind::RetryScheduled(e) => (&e.node_id, "again", Paint::Yellow, retry(seen, e)),
            EventKind::InterruptRaised(e) => {
                (&e.node_id, "waits", Paint::Yellow, text!("for an approval"))
            }
            EventKind::TimerCreated(e) => (&e.node_id, "waits", Paint::Yellow, wait(e, event.at)),
            EventKind::ExecutionPaused(_) => return whole("is paused", Paint::Yellow),
            EventKind::ExecutionUnpaused(_) => return whole("goes on", Paint::Blue),
            EventKind::CancelRequested(_) => return whole("is being cancelled", Paint::Yellow),
            EventKind::WorkflowTimedOut => return whole("ran out of time", Paint::Red),
            EventKind::Stalled(Stalled {
                reason: StallReason::AttemptsExhausted(it),
                ..
            }) => {
                let error = refrain::render::node_failure(&it.cause);
                (&it.node_id, "stalled", Paint::Yellow, one_line(&error))
            }
            // Why, and what to do, is told at the end.
            EventKind::Stalled(_) | EventKind::HostStalled(_) => {
                return whole("is stalled", Paint::Yellow);
            }
            _ => return None,
        };
        // A map's line counts its instances; those that fail are told one by one.
        let is_told = matches!(
            event.kind,
            EventKind::NodeExhausted(_)
                | EventKind::RetryScheduled(_)
                | EventKind::ChildRequested(_)
                | EventKind::Stalled(_)
        );
        let of_instance = seen.child_of.as_ref().is_some_and(ChildOf::is_instance);
        if !is_told && (of_instance || is_one_of_many(node)) {
            return None;
        }
        let node = text!("{}{}", seen.way(), node);
        self.width = node.width().clamp(self.width, NAMES_MAX);
        let at = span(event.at.saturating_sub(seen.root_began_at()));
        Some(text!(
            "{}  {}  {}  {}",
            Text::word(&at).aligned_right(9),
            node.padded(self.width),
            Text::word(word).padded(9).painted(paint, self.colours),
            rest
        ))
    }

    /// Whether it shows how time passes.
    pub(super) fn is_live(&self) -> bool {
        self.below.is_shown() && !output::is_quiet()
    }

    /// An execution may have other nodes than before.
    pub(super) fn count(&mut self, seen: &Seen) {
        if !self.is_live() {
            return;
        }
        let counts = COUNTED.map(|state| seen.nodes.count(state));
        let former = self.counts.insert(seen.record.id, counts);
        for (place, count) in counts.iter().enumerate() {
            self.total[place] += count;
            self.total[place] -= former.map_or(0, |former| former[place]);
        }
    }

    /// An execution is not watched any longer.
    pub(super) fn forget(&mut self, id: ExecutionId) {
        for (total, count) in self
            .total
            .iter_mut()
            .zip(self.counts.remove(&id).unwrap_or_default())
        {
            *total -= count;
        }
    }

    /// Bring the line of counts up to date.
    pub(super) fn counts(&mut self) {
        if !self.is_live() {
            return;
        }
        let words: Vec<String> = COUNTED
            .iter()
            .zip(&self.total)
            .filter(|(_, count)| **count > 0)
            .map(|(state, count)| {
                format!("{count} {}", names::node_state(*state).replace('_', " "))
            })
            .collect();
        let elapsed = span(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        let elapsed = Text::word(&elapsed).aligned_right(9);
        self.below.show(text!("{}  {}", elapsed, words.join(", ")));
    }

    /// Say something between the lines.
    pub(super) fn say(&mut self, text: &Text) {
        self.clear();
        output::say(text);
    }

    /// Take the line of counts away.
    pub(super) fn clear(&mut self) {
        self.below.clear();
    }
}

/// The beginning of an execution's id, which is enough to tell it from others.
fn cut(id: &str) -> &str {
    &id[..id.len().min(13)]
}

fn finish(seen: &Seen, node: &str) -> Text {
    let Some(node) = seen.nodes.named(node) else {
        return Text::new();
    };
    let took = node.took_ms();
    let took = took.map_or(Text::new(), |ms| text!("in {}", span(ms)));
    if node.instances.is_some() {
        return took;
    }
    if node.attempts > 1 {
        text!("{}, at attempt {}", took, node.attempts)
    } else {
        took
    }
}

/// What is to be said behind this event's line when all of a look is known.
fn rest(seen: &Seen, event: &Event) -> Option<Rest> {
    let (node, of) = match &event.kind {
        EventKind::NodeSettled(it) => {
            let node = seen.nodes.named(&it.node_id);
            node.filter(|node| node.instances.is_some())?;
            (&it.node_id, RestOf::Map)
        }
        EventKind::ChildEnded(it) if it.status == Status::Completed && it.iteration == 0 => {
            (&it.node_id, RestOf::FirstIteration)
        }
        _ => return None,
    };
    Some(Rest {
        execution: seen.record.id,
        node: node.clone(),
        of,
    })
}

impl Rest {
    fn text(&self, seen: &Seen) -> Text {
        let Some(node) = seen.nodes.named(&self.node) else {
            return Text::new();
        };
        match self.of {
            RestOf::Map => instances_in_words(&seen.nodes, node)
                .map_or(Text::new(), |instances| text!(", {}", instances)),
            RestOf::FirstIteration if node.iterations > 1 => text!(", iteration 0"),
            RestOf::FirstIteration => Text::new(),
        }
    }
}

/// That a child ended well, the last of its node or not.
fn child(ended: &ChildEnded) -> Text {
    match ended.iteration {
        0 => text!("completed"),
        number => text!("completed, iteration {}", number),
    }
}

fn retry(seen: &Seen, retry: &RetryScheduled) -> Text {
    text!(
        "attempt {} in {}{}",
        retry.attempt,
        span(retry.delay_ms),
        after(seen, &retry.node_id)
    )
}

/// After which error a node is tried again.
fn after(seen: &Seen, node: &str) -> Text {
    let node = seen.nodes.named(node);
    let error = node.and_then(|node| node.error.as_deref()).map(one_line);
    error.map_or(Text::new(), |error| text!(", after: {}", error))
}

fn wait(timer: &TimerCreated, now: Timestamp) -> Text {
    let time = timer.fire_at.map(|until| span(until.saturating_sub(now)));
    match (&timer.correlation_key, time) {
        (Some(key), Some(time)) => text!("for the external event {:?}, at most {}", key, time),
        (Some(key), None) => text!("for the external event {:?}", key),
        (None, Some(time)) => text!("for {}", time),
        (None, None) => Text::new(),
    }
}

/// A text in one line that is not too long; `refrain show` has all of it.
pub(super) fn one_line(text: &str) -> Text {
    const COLUMNS_MAX: usize = 200;
    Text::word(&text.replace(['\n', '\r'], " ")).cut(COLUMNS_MAX)
}
