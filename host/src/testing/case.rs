//! A case: what a workflow is given, who answers what and when, and what is expected.

use std::collections::BTreeMap;
use std::time::Duration;

use super::act::Act;
use super::text::span::SPAN_MAX;
use crate::clock::milliseconds;
use crate::error::WorkError;
use crate::json::Json;
use crate::live::Answer;
use crate::model::{Status, Timestamp};
use crate::world::Outcome;

/// The time at which a case begins unless it says another: the first of January 2026.
pub(super) const BEGINS_AT: Timestamp = 1_767_225_600_000;

/// How much simulated time a case may take unless it says another: a year.
pub(super) const UNTIL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

const _: () = assert!(UNTIL.as_secs() <= SPAN_MAX.as_secs(), "it can be written");

/// One run of a workflow on a simulated clock, and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub(super) name: String,
    pub(super) input: Json,
    pub(super) begins_at: Timestamp,
    pub(super) until: Duration,
    pub(super) strict: bool,
    pub(super) answers: BTreeMap<String, Answers>,
    pub(super) acts: Vec<Act>,
    pub(super) expectations: Vec<Expectation>,
}

/// The answers to the attempts of one node; of a node of children, to those of all of them,
/// one child after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers {
    /// The same to each.
    Always(NodeAnswer),
    /// One to each, from the first attempt on. To those after the last of these nothing
    /// is said.
    Each(Vec<NodeAnswer>),
}

impl Answers {
    /// What is said to this attempt, from 1.
    pub(super) fn of_attempt(&self, attempt: u32) -> Option<&NodeAnswer> {
        match self {
            Self::Always(answer) => Some(answer),
            Self::Each(answers) => answers.get(usize::try_from(attempt).ok()?.checked_sub(1)?),
        }
    }
}

impl Case {
    /// A case of this name: with the input `{}`, in which every work item is answered at
    /// once with `{}`, and of which nothing is expected yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            input: Json::from(serde_json::json!({})),
            begins_at: BEGINS_AT,
            until: UNTIL,
            strict: false,
            answers: BTreeMap::new(),
            acts: Vec::new(),
            expectations: Vec::new(),
        }
    }

    /// With this input.
    #[must_use]
    pub fn input(self, input: impl Into<Json>) -> Self {
        Self {
            input: input.into(),
            ..self
        }
    }

    /// With a clock that shows this time at the start, in milliseconds since 1970: for
    /// workflows in which the date matters. The first of January 2026 unless set.
    #[must_use]
    pub fn begins_at(self, begins_at: Timestamp) -> Self {
        Self { begins_at, ..self }
    }

    /// For at most so long by the simulated clock; a year unless set.
    #[must_use]
    pub fn until(self, until: Duration) -> Self {
        Self { until, ..self }
    }

    /// A work item for which no answer is given makes the case fail.
    #[must_use]
    pub fn strict(self) -> Self {
        Self {
            strict: true,
            ..self
        }
    }

    /// A worker answers each attempt of this node so.
    #[must_use]
    pub fn answer(mut self, node: impl Into<String>, answer: NodeAnswer) -> Self {
        self.answers.insert(node.into(), Answers::Always(answer));
        self
    }

    /// Workers answer the attempts of this node so, one after the other.
    #[must_use]
    pub fn attempts(
        mut self,
        node: impl Into<String>,
        answers: impl IntoIterator<Item = NodeAnswer>,
    ) -> Self {
        let answers = answers.into_iter().collect();
        self.answers.insert(node.into(), Answers::Each(answers));
        self
    }

    /// Somebody does this.
    #[must_use]
    pub fn act(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    /// This is expected.
    #[must_use]
    pub fn expect(mut self, expectation: Expectation) -> Self {
        self.expectations.push(expectation);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its clock shows so long after the start.
    pub(super) fn time(&self, after: Duration) -> Timestamp {
        self.begins_at.saturating_add(milliseconds(after))
    }
}

/// What a worker makes of one attempt of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeAnswer {
    pub(super) after: Duration,
    pub(super) outcome: Outcome,
}

impl NodeAnswer {
    /// The worker completes the node with this: its output, and what the state gets.
    #[must_use]
    pub fn completes(answer: impl Into<Answer>) -> Self {
        Self::at_once(Outcome::Completes(answer.into()))
    }

    /// The worker fails.
    #[must_use]
    pub fn fails(error: WorkError) -> Self {
        Self::at_once(Outcome::Fails(error))
    }

    /// The worker does not answer, and is alive: the node's timeout ends the attempt, or
    /// that of the workflow, or somebody's act.
    #[must_use]
    pub fn times_out() -> Self {
        Self::at_once(Outcome::NeverEnds)
    }

    /// The worker dies at once: the attempt ends with its lease, after ten seconds.
    #[must_use]
    pub fn dies() -> Self {
        Self::at_once(Outcome::Dies)
    }

    /// The same, so long after the worker took the work. It says nothing of a worker that
    /// never answers, or dies.
    #[must_use]
    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    fn at_once(outcome: Outcome) -> Self {
        Self {
            after: Duration::ZERO,
            outcome,
        }
    }
}

/// What is expected of a case. Lists of nodes name all of them, no others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expectation {
    /// The status at the end of the case.
    Status(Status),
    /// The nodes that completed, in the order in which they did.
    Path(Vec<String>),
    /// These completed, each after the one before it.
    Order(Vec<String>),
    /// The nodes that were skipped, in any order.
    Skipped(Vec<String>),
    /// The nodes that failed for good, in any order.
    Failed(Vec<String>),
    /// The nodes that were cancelled, in any order.
    Cancelled(Vec<String>),
    /// The whole state at the end.
    State(Json),
    /// What stands in the state at the end, next to other things: an object's members,
    /// and those of objects in it.
    StateIncludes(Json),
    /// The simulated time from the start to the end, or to the last event of a case that
    /// did not end.
    Elapsed {
        /// At the least.
        at_least: Duration,
        /// At the most.
        at_most: Duration,
    },
    /// How many attempts of this node a worker began.
    Attempts {
        /// The node.
        node: String,
        /// The number.
        attempts: u32,
    },
    /// A text that the execution's error contains.
    Error(String),
    /// What is expected of the child that a node started last.
    Child {
        /// The node.
        node: String,
        /// What is expected of the child.
        expected: Vec<Self>,
    },
    /// A node started so many children, and this is expected of each, in their order.
    Children {
        /// The node.
        node: String,
        /// What is expected of each child.
        expected: Vec<Vec<Self>>,
    },
}

impl Expectation {
    /// This path; see [`Expectation::Path`].
    #[must_use]
    pub fn path<N: Into<String>>(nodes: impl IntoIterator<Item = N>) -> Self {
        Self::Path(nodes.into_iter().map(Into::into).collect())
    }

    /// These nodes are skipped; see [`Expectation::Skipped`].
    #[must_use]
    pub fn skipped<N: Into<String>>(nodes: impl IntoIterator<Item = N>) -> Self {
        Self::Skipped(nodes.into_iter().map(Into::into).collect())
    }

    /// It takes exactly so long; see [`Expectation::Elapsed`].
    #[must_use]
    pub fn elapsed(span: Duration) -> Self {
        Self::Elapsed {
            at_least: span,
            at_most: span,
        }
    }

    /// The nodes that it names.
    pub(super) fn nodes(&self) -> &[String] {
        match self {
            Self::Path(nodes)
            | Self::Order(nodes)
            | Self::Skipped(nodes)
            | Self::Failed(nodes)
            | Self::Cancelled(nodes) => nodes,
            Self::Attempts { node, .. } => std::slice::from_ref(node),
            Self::Status(_)
            | Self::State(_)
            | Self::StateIncludes(_)
            | Self::Elapsed { .. }
            | Self::Error(_)
            | Self::Child { .. }
            | Self::Children { .. } => &[],
        }
    }

    /// The node of whose children it expects something.
    pub(super) fn parent(&self) -> Option<&str> {
        match self {
            Self::Child { node, .. } | Self::Children { node, .. } => Some(node),
            _ => None,
        }
    }

    /// What it expects of children.
    pub(super) fn of_children(&self) -> Vec<&Self> {
        match self {
            Self::Child { expected, .. } => expected.iter().collect(),
            Self::Children { expected, .. } => expected.iter().flatten().collect(),
            _ => Vec::new(),
        }
    }
}
