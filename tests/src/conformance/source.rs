//! A log that cases begin with, and what those who think of cases look for in it.

use anyhow::{Context, Result};
use serde_json::Value;

/// A whole log.
pub(super) struct Source {
    pub(super) name: String,
    /// What it shows.
    pub(super) shows: String,
    /// Its lines, without their breaks: the header, then the events.
    pub(super) lines: Vec<String>,
    /// The header.
    pub(super) header: Value,
    /// The events, as their lines say it.
    pub(super) events: Vec<Value>,
}

impl Source {
    pub(super) fn new(name: &str, shows: &str, log: &str) -> Result<Self> {
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        let values = lines.iter().map(|line| serde_json::from_str(line));
        let mut values: Vec<Value> = values
            .collect::<Result<_, _>>()
            .with_context(|| name.to_owned())?;
        let header = values.remove(0);
        Ok(Self {
            name: name.to_owned(),
            shows: shows.to_owned(),
            lines,
            header,
            events: values,
        })
    }

    /// The line of the last event: each event is one line further down than its sequence.
    pub(super) fn last_line(&self) -> usize {
        self.lines.len()
    }

    /// The event on a line.
    pub(super) fn event(&self, line: usize) -> &Value {
        &self.events[line - 2]
    }

    /// The lines of the events.
    pub(super) fn event_lines(&self) -> std::ops::RangeInclusive<usize> {
        2..=self.lines.len()
    }

    /// The lines of the events of which this holds.
    pub(super) fn lines_where(&self, holds: impl Fn(&Value) -> bool) -> Vec<usize> {
        let lines = self.event_lines();
        lines.filter(|line| holds(self.event(*line))).collect()
    }

    /// The first line with an event of this kind.
    pub(super) fn line_of(&self, kind: &str) -> Option<usize> {
        self.lines_where(|event| event["type"] == kind)
            .first()
            .copied()
    }

    /// Whether its execution has ended.
    pub(super) fn has_ended(&self) -> bool {
        let last = self.events.last().and_then(|event| event["type"].as_str());
        last.is_some_and(|kind| TERMINAL.contains(&kind))
    }
}

/// The log of this name.
pub(super) fn named<'a>(sources: &'a [Source], name: &str) -> Result<&'a Source> {
    let found = sources.iter().find(|it| it.name == name);
    found.with_context(|| format!("there is no log {name}"))
}

/// The kinds of events that end an execution.
pub(super) const TERMINAL: [&str; 3] = [
    "workflow_completed",
    "workflow_failed",
    "workflow_cancelled",
];
