//! A fork, as a caller asks for it.

use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::json::Json;

use super::facts;
use super::work::Answer;

/// A fork of an execution: another one, which has the first events of its log in common
/// with it and goes its own way from there (law 11). The origin is left as it is.
///
/// ```
/// # use refrain::{Engine, Fork, Workflow, WorkError};
/// # use serde_json::json;
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = refrain::store::MemoryStore::new();
/// # let engine = Engine::builder().store(store).start().await?;
/// # let workflow = json!({"workflow_id": "w", "version": "1.0.0", "start_node": "a",
/// #     "nodes": {"a": {"kind": {"type": "tool", "tool_ref": "t"}}}, "edges": []});
/// # engine.register(Workflow::from_json(workflow.to_string())?).await?;
/// # engine.work("tool", |_| async { Err::<serde_json::Value, _>(WorkError::permanent("no")) });
/// let failed = engine.start("w", "1.0.0", json!({})).await?;
/// failed.finished().await?;
/// let fork = Fork::of(failed.id()).result("a", json!({"by": "hand"})).by("ada");
/// let forked = engine.fork(fork).await?.execution;
/// assert_eq!(forked.finished().await?.final_state.to_string(), r#"{"by":"hand"}"#);
/// # engine.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Fork {
    pub(in crate::live) origin: ExecutionId,
    pub(in crate::live) cut: Cut,
    pub(in crate::live) workflow: Option<(String, String)>,
    pub(in crate::live) guest: Option<String>,
    pub(in crate::live) by: Option<String>,
}

/// Where a fork goes its own way, and with what.
#[derive(Clone, Debug)]
pub(in crate::live) enum Cut {
    /// As late as it makes sense.
    Latest,
    /// Behind this event.
    Behind(u64),
    /// Before this node began.
    From(String),
    /// Before the first of the answers to these nodes' last attempts, which are replaced by
    /// these.
    Results(Vec<(String, Answer)>),
    /// At the start, with this input.
    Input(Json),
}

impl Fork {
    /// A fork of this execution, as late as it makes sense: of one that has not ended,
    /// at the end of its log; of one that failed because of nodes, before the first of
    /// these began; of one that was cancelled, before that was asked for; else before
    /// what ended it was decided.
    #[must_use]
    pub fn of(origin: ExecutionId) -> Self {
        Self {
            origin,
            cut: Cut::Latest,
            workflow: None,
            guest: None,
            by: None,
        }
    }

    /// Have the events up to this one in common. What was decided at one time is not
    /// cut apart, and an end is not forked: then they have fewer in common.
    #[must_use]
    pub fn at(self, sequence: u64) -> Self {
        self.cut(Cut::Behind(sequence))
    }

    /// Go the own way before this node was first scheduled.
    #[must_use]
    pub fn from_node(self, node_id: impl Into<String>) -> Self {
        self.cut(Cut::From(node_id.into()))
    }

    /// Go the own way before the answer to this node's last attempt, with this answer in
    /// its place. The one who forks it is named as who edited it, see [`Fork::by`].
    ///
    /// Results of several nodes can be replaced in one fork, by a call for each: then it
    /// goes its own way before the first of the answers, and all of these nodes must be at
    /// work there. They count in the order of the calls.
    #[must_use]
    pub fn result(self, node_id: impl Into<String>, answer: impl Into<Answer>) -> Self {
        let result = (node_id.into(), answer.into());
        let mut fork = self;
        match &mut fork.cut {
            Cut::Results(results) => results.push(result),
            cut => *cut = Cut::Results(vec![result]),
        }
        fork
    }

    /// Go the own way from the start, with this input.
    #[must_use]
    pub fn input(self, input: impl Into<Json>) -> Self {
        self.cut(Cut::Input(input.into()))
    }

    /// Go on with this workflow, which must be registered. It must lead to the same
    /// decisions in what both have in common.
    #[must_use]
    pub fn workflow(self, workflow_id: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            workflow: Some((workflow_id.into(), version.into())),
            ..self
        }
    }

    /// Belong to this guest, the scheduler component of this digest, from event 1 on. It
    /// must come to the same decisions in what both have in common.
    #[must_use]
    pub fn guest(self, digest: impl Into<String>) -> Self {
        Self {
            guest: Some(digest.into()),
            ..self
        }
    }

    /// Who forks it, for the log.
    #[must_use]
    pub fn by(self, who: impl Into<String>) -> Self {
        Self {
            by: Some(who.into()),
            ..self
        }
    }

    fn cut(self, cut: Cut) -> Self {
        Self { cut, ..self }
    }

    /// What can be checked at the door.
    pub(in crate::live) fn check(&self) -> Result<(), EngineError> {
        facts::actor(self.by.as_deref())?;
        if let Some((workflow_id, version)) = &self.workflow {
            facts::text("workflow id", workflow_id)?;
            facts::text("workflow version", version)?;
        }
        match &self.cut {
            Cut::Latest | Cut::Behind(_) => Ok(()),
            Cut::From(node_id) => facts::text("node id", node_id),
            Cut::Results(results) => self.check_results(results),
            Cut::Input(input) => facts::payload("input", input),
        }
    }

    fn check_results(&self, results: &[(String, Answer)]) -> Result<(), EngineError> {
        let mut named = BTreeSet::new();
        for (node_id, _) in results {
            facts::text("node id", node_id)?;
            if !named.insert(node_id) {
                return Err(EngineError::NotForked {
                    execution: self.origin,
                    reason: format!("two results are given for node {node_id:?}, give it one"),
                });
            }
        }
        Ok(())
    }
}
