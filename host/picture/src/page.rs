//! Workflows drawn for a page that takes logs from anybody: what would keep a browser busy
//! for long is refused with a sentence.

use alloc::string::String;
use core::{error, fmt};

use crate::reading::{NoWorkflow, of_workflow};
use crate::svg::svg;

/// Nodes that a page shows, those of workflows within nodes included: what is far more
/// nobody reads, and a browser is busy with it for seconds.
pub const NODES_MAX: usize = 10_000;
/// Edges that a page shows.
pub const EDGES_MAX: usize = 30_000;

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotDrawn {
    /// The text is not that of a workflow.
    NoWorkflow,
    /// There is more to draw than a page shows.
    TooLarge {
        /// How many nodes there are.
        nodes: usize,
        /// How many edges there are.
        edges: usize,
    },
}

impl fmt::Display for NotDrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkflow => f.write_str(
                "The log does not hold the text of a valid workflow, so there is no graph of it.",
            ),
            Self::TooLarge { nodes, edges } => write!(
                f,
                "The workflow has {nodes} nodes and {edges} edges, and a page draws {NODES_MAX} and {EDGES_MAX}; type: refrain graph --file LOG --format svg"
            ),
        }
    }
}

impl error::Error for NotDrawn {}

impl From<NoWorkflow> for NotDrawn {
    fn from(_: NoWorkflow) -> Self {
        Self::NoWorkflow
    }
}

/// The picture of a workflow's text, as SVG; for an execution with all nodes pending, so that
/// there is room for the sign of each state.
///
/// # Errors
/// [`NotDrawn`], whose words are for the reader of the page.
pub fn drawn(workflow: &str, is_execution: bool) -> Result<String, NotDrawn> {
    let mut picture = of_workflow(workflow)?;
    let (nodes, edges) = picture.size();
    if nodes > NODES_MAX || edges > EDGES_MAX {
        return Err(NotDrawn::TooLarge { nodes, edges });
    }
    if is_execution {
        picture = picture.not_begun();
    }
    Ok(svg(&picture))
}
