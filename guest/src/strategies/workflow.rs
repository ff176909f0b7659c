//! A workflow that a test brings about: its table, its text, its plan.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::contract::{Event, Limits};
use crate::digest::digest_of_text;
use crate::notation::{Graph, Memory};
use crate::workflow::{self, Plan};

/// A valid workflow, and what its execution is started with. It is written in
/// the lines of the notation; the JSON is what the notation makes of them.
#[derive(Clone)]
pub struct Workflow {
    lines: Vec<String>,
    graph: Graph,
    plan: Arc<Plan>,
}

impl Workflow {
    /// The workflow of a table's lines: edges, nodes, settings.
    ///
    /// # Errors
    /// A line that cannot be read, or the faults of the workflow (rule R1).
    pub fn from_table(table: &str) -> Result<Self, String> {
        let lines: Vec<String> = table
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(ToString::to_string)
            .collect();
        let graph = Graph::read(lines.iter().map(String::as_str))?;
        let plan = workflow::parse(&graph.workflow).map_err(|faults| format!("{faults:?}"))?;
        Ok(Self {
            lines,
            graph,
            plan: Arc::new(plan),
        })
    }

    /// The workflow as JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.graph.workflow
    }

    /// The SHA-256 of the text, as event 1 names it.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of_text(self.text())
    }

    /// The text parsed: nodes, edges, policies.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The execution's input, JSON text.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.graph.input
    }

    /// The limits of the engine that starts it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.graph.limits
    }

    /// The seed of all jitter.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.graph.seed
    }

    /// Event 1 of an execution that is started at `at`.
    #[must_use]
    pub fn start(&self, at: u64) -> Event {
        Memory::new(&self.graph, at).start(&self.graph)
    }

    /// A world in which it is started at `at`.
    pub(super) fn world(&self, at: u64) -> Memory {
        Memory::new(&self.graph, at)
    }
}

/// The lines of its table.
impl fmt::Display for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The same, so that what proptest prints can be read.
impl fmt::Debug for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}
