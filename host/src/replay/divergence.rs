//! The finding of an audit: one report, as text for people and as JSON for programs.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::difference::{Difference, differences};
use super::rule::Rule;
use crate::log::json::explanation_json;
use crate::model::{EventKind, Explanation};
use crate::{names, render};

/// The first place where a log is not what it should be.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Divergence {
    /// The event concerned.
    pub sequence: u64,
    /// What is wrong, in a word for programs.
    pub code: DivergenceCode,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Who says what is expected, and where what was found stands.
    pub compared: Option<Compared>,
    /// What should be there. `None` if nothing was expected.
    pub expected: Option<Value>,
    /// What stands there. `None` if nothing does.
    pub found: Option<Value>,
    /// The places in which the two differ.
    pub difference: Vec<Difference>,
    /// The rule of what the guest decides there, else of the first reason that it names
    /// for the node concerned; where no guest was asked, the law that is broken.
    pub rule: Option<Rule>,
    /// The SHA-256 of the execution's state just before, where it is known.
    pub state_hash: Option<String>,
    /// Why the guest has the node concerned where it is.
    #[serde(serialize_with = "as_json")]
    pub explanation: Option<Explanation>,
    /// What to do next.
    pub advice: Advice,
    /// Why the guest gave no answer, or did not take a fact: in a word, without what is
    /// particular to this log. It stands in the message for people.
    #[serde(skip)]
    pub(super) cause: Option<String>,
}

/// What is wrong, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DivergenceCode {
    /// The log itself is not what it should be, by the laws.
    LogUnsound,
    /// The guest decides something else.
    OtherDecision,
    /// The guest decides nothing where the log has a decision.
    NoDecision,
    /// The guest gives no answer.
    GuestFailed,
    /// The guest orders what it did not decide, or what it may not.
    OtherOrder,
    /// The store says something else than the log.
    StoreDiffers,
}

/// What to do about a divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Advice {
    /// The log, or what decided in it, is another than it says: hold it against another
    /// copy.
    CompareCopies,
    /// It was another guest that was asked: the execution is well off with its own.
    KeepGuest,
    /// Another beginning was asked about: the execution is well off with its own.
    KeepBeginning,
    /// The store has lost or changed something besides the log: put a backup in its place.
    RestoreBackup,
    /// A newer program can say more.
    UseNewer,
}

impl Advice {
    /// The advice in a sentence without its end.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CompareCopies => {
                "compare the log with a backup or an export, and trust neither before it is clear which was changed"
            }
            Self::KeepGuest => {
                "leave the execution with its own scheduler, which decides what the log says"
            }
            Self::KeepBeginning => {
                "nothing is to be done: the execution keeps the limits and the retry policies that it began with; others hold for those that begin with them"
            }
            Self::RestoreBackup => "put a backup of the store in its place",
            Self::UseNewer => "use a newer program",
        }
    }
}

/// Two that say the same where nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compared {
    /// The guest's answer is expected, and the log is what was found.
    GuestWithLog,
    /// What follows from the log is expected, and what the store says besides it was
    /// found.
    LogWithStore,
}

fn as_json<S: Serializer>(
    explanation: &Option<Explanation>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let json = explanation.as_ref().map(explanation_json);
    json.serialize(serializer)
}

impl Divergence {
    /// A divergence of which the message says everything.
    pub(super) fn plain(sequence: u64, message: impl Into<String>) -> Self {
        Self {
            sequence,
            code: DivergenceCode::LogUnsound,
            message: message.into(),
            compared: None,
            expected: None,
            found: None,
            difference: Vec::new(),
            rule: None,
            state_hash: None,
            explanation: None,
            advice: Advice::CompareCopies,
            cause: None,
        }
    }

    /// A divergence between two values, of which at least one is there.
    pub(super) fn between(
        sequence: u64,
        message: impl Into<String>,
        expected: Option<Value>,
        found: Option<Value>,
    ) -> Self {
        let difference = match (&expected, &found) {
            (Some(expected), Some(found)) => differences(expected, found),
            _ => Vec::new(),
        };
        Self {
            expected,
            found,
            difference,
            ..Self::plain(sequence, message)
        }
    }
}

impl Divergence {
    /// The same, with this word for it.
    pub(super) fn coded(self, code: DivergenceCode) -> Self {
        Self { code, ..self }
    }

    /// The same, between these.
    pub(super) fn compared(self, compared: Compared) -> Self {
        Self {
            compared: Some(compared),
            ..self
        }
    }

    /// The report for people, line by line: how far each is set in, and what it says. Texts
    /// of the world stand in it as they came. What to do next is not in it
    /// ([`Divergence::advice`]): a program may know a command for that.
    #[must_use]
    pub fn report(&self) -> Vec<(usize, String)> {
        let place = format!("event {}", self.sequence);
        let is_named = self.sequence == 0 || self.message.starts_with(&place);
        let mut lines = vec![match is_named {
            true => (0, self.message.clone()),
            false => (0, format!("{place}: {}", self.message)),
        }];
        self.report_values(&mut lines);
        if let Some(rule) = self.rule {
            lines.push((1, format!("rule: {rule}")));
        }
        if let Some(hash) = &self.state_hash {
            lines.push((1, format!("state before: {hash}")));
        }
        if let Some(Explanation {
            node_id,
            state,
            reasons,
            ..
        }) = &self.explanation
        {
            let state = names::node_state(*state);
            lines.push((
                1,
                format!("the guest on node {node_id:?}, which is {state}:"),
            ));
            let reasons = reasons.iter();
            lines.extend(reasons.map(|it| (2, render::sentence(node_id, &it.cause))));
        }
        lines
    }

    fn report_values(&self, lines: &mut Vec<(usize, String)>) {
        let (by_guest, by_log) = match self.compared {
            Some(Compared::GuestWithLog) => ("the guest decides", "the log has"),
            Some(Compared::LogWithStore) => ("by the log", "in the store"),
            None => ("expected", "found"),
        };
        let width = by_guest.len();
        for (name, value) in [(by_guest, &self.expected), (by_log, &self.found)] {
            if let Some(value) = value {
                lines.push((1, format!("{name:width$}  {value}")));
            }
        }
        let side = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        for it in self.difference.iter().filter(|it| !it.pointer.is_empty()) {
            let (expected, found) = (side(&it.expected), side(&it.found));
            let pointer = &it.pointer;
            lines.push((
                1,
                format!("at {pointer:?}: {by_guest} {expected}, {by_log} {found}"),
            ));
        }
    }
}

/// The whole report, a line each, with what to do next at its end.
impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, text) in self.report() {
            writeln!(f, "{:1$}{text}", "", depth * 2)?;
        }
        write!(f, "  next: {}", self.advice.sentence())
    }
}

/// The node, instance or compensation that an event of this kind is about. `None` if it is
/// about the execution.
#[must_use]
pub fn node_of(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::NodeScheduled(e) => Some(&e.node_id),
        EventKind::NodeStarted(e) => Some(&e.node_id),
        EventKind::NodeCompleted(e) => Some(&e.node_id),
        EventKind::NodeSettled(e) => Some(&e.node_id),
        EventKind::NodeFailed(e) => Some(&e.node_id),
        EventKind::LeaseExpired(e) => Some(&e.node_id),
        EventKind::NodeReleased(e) => Some(&e.node_id),
        EventKind::NodeTimedOut(e) => Some(&e.node_id),
        EventKind::NodeExhausted(e) => Some(&e.node_id),
        EventKind::NodeSkipped(e) => Some(&e.node_id),
        EventKind::NodeCancelled(e) => Some(&e.node_id),
        EventKind::RetryScheduled(e) => Some(&e.node_id),
        EventKind::InterruptRaised(e) => Some(&e.node_id),
        EventKind::ApprovalReceived(e) => Some(&e.node_id),
        EventKind::TimerCreated(e) => Some(&e.node_id),
        EventKind::TimerFired(e) => Some(&e.node_id),
        EventKind::MapExpanded(e) => Some(&e.node_id),
        EventKind::ChildRequested(e) => Some(&e.node_id),
        EventKind::ChildStarted(e) => Some(&e.node_id),
        EventKind::ChildRefused(e) => Some(&e.node_id),
        EventKind::ChildEnded(e) => Some(&e.node_id),
        EventKind::RetryRequested(e) | EventKind::SkipRequested(e) => Some(&e.node_id),
        EventKind::Stalled(e) => e.node_id(),
        EventKind::WorkflowStarted(_)
        | EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_)
        | EventKind::WorkflowTimedOut
        | EventKind::ExternalEventReceived(_)
        | EventKind::CancelRequested(_)
        | EventKind::ExecutionPaused(_)
        | EventKind::ExecutionUnpaused(_)
        | EventKind::HostStalled(_)
        | EventKind::StallLifted(_)
        | EventKind::GuestChanged(_)
        | EventKind::ExecutionForked(_) => None,
    }
}
