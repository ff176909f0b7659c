//! What `run`, `resume` and `work` tell of an execution that they worked on.

use refrain::model::NodeState;
use refrain::names;
use refrain::render::UnsetPath;
use refrain::replay::nodes::Node;
use refrain::store::Timestamp;
use refrain::time::rfc3339;
use serde::Serialize;
use serde_json::value::RawValue;

use super::damage::{self, TamperedDocument};
use super::database::Database;
use super::judgement::rests_until;
use super::seen::Seen;
use super::text::{Text, text};
use super::workers::Served;

/// An execution, for programs.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    execution_id: String,
    status: &'static str,
    final_state: Option<&'a RawValue>,
    error: Option<&'a str>,
    failed_nodes: Vec<FailedNode<'a>>,
    /// What conditions read that was never there, for which nodes were skipped.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unset_paths: &'a [UnsetPath],
    /// The first time at which something is due here, while it runs. `None` if something is
    /// due now.
    waits_until: Option<String>,
    events: u64,
    guest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tampered: Option<TamperedDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<&'a str>,
}

/// A node that has failed for good.
#[derive(Serialize)]
struct FailedNode<'a> {
    node_id: &'a str,
    attempts: u32,
    error: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// What there is to tell of an execution with these children at this time.
    pub(super) fn of(
        seen: &'a Seen,
        children: &[&Seen],
        (served, now): (&Served, Timestamp),
        unset_paths: &'a [UnsetPath],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            execution_id: seen.record.id.to_string(),
            status: names::status(seen.record.status),
            final_state: seen
                .ending
                .final_state
                .as_deref()
                .map(serde_json::from_str)
                .transpose()?,
            error: seen.ending.error.as_deref(),
            failed_nodes: seen
                .nodes
                .iter()
                .filter(|node| node.state == NodeState::Failed)
                .map(FailedNode::of)
                .collect(),
            unset_paths,
            waits_until: rests_until(seen, children, served, now).and_then(rfc3339),
            events: seen.record.head.sequence,
            guest: &seen.record.guest_digest,
            tampered: seen.record.tampering.as_ref().map(TamperedDocument::of),
            damaged: seen.why(),
        })
    }
}

impl<'a> FailedNode<'a> {
    fn of(node: &'a Node) -> Self {
        Self {
            node_id: &node.id,
            attempts: node.attempts,
            error: node.error.as_deref(),
        }
    }
}

/// An execution, for people, in a line: what it is, and why.
pub(super) fn row(seen: &Seen, database: &Database, colours: bool) -> Text {
    let (standing, paint) = damage::standing(&seen.record);
    let error = seen
        .why_damaged(database)
        .or_else(|| seen.ending.text(seen.record.id, &seen.nodes, database));
    let error = error.map_or(Text::new(), |error| text!("  {}", error));
    text!(
        "{}  {}{}\n",
        seen.record.id,
        standing.painted(paint, colours),
        error
    )
}
