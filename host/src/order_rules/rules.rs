//! What one workflow lets be ordered.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::children::ChildRules;
use super::literal::LiteralKind;
use super::node::{BodyRules, NodeRules, NodeText, PolicyText};
use super::payload::{self, Payload};
use crate::log::effect;
use crate::model::{ChildOrder, EventKind, WorkItem, instance_of, node_of_run, undone_by};
use crate::templates::TEMPLATES;

/// What one workflow lets be ordered; prepared once from its text.
#[derive(Debug, Default)]
pub(crate) struct OrderRules {
    nodes: HashMap<String, NodeRules>,
}

/// What an item has to be, as far as the workflow says it.
struct Lawful<'a> {
    kind: &'a str,
    literal: Option<&'a LiteralKind>,
    queue: Option<&'a str>,
    priority: Option<u32>,
    max_attempts: u32,
    /// The payload up to `input`, as our own scheduler spells it.
    usual_payload: Cow<'a, str>,
}

/// How often a node was ordered before, and from where its attempts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempts {
    /// The last attempt that was ordered; 0: there was none.
    pub(crate) last: u32,
    /// The attempt after which an operator gave the node a fresh budget (rule
    /// R20); 0: it has its first one.
    pub(crate) budget_after: u32,
}

impl Attempts {
    /// Take one event of the execution's log, in order, for the nodes that it
    /// orders or is asked to retry.
    pub(crate) fn follow(all: &mut HashMap<String, Self>, rules: &OrderRules, kind: &EventKind) {
        if let EventKind::RetryRequested(it) = kind {
            let attempts = all.entry(it.node_id.clone()).or_default();
            attempts.budget_after = attempts.last;
            // A map that is retried gives each of its instances a fresh budget. All are
            // looked at for that only: there are as many of them as of its instances.
            if rules.is_map(&it.node_id) {
                for (id, attempts) in all.iter_mut() {
                    if instance_of(id).is_some_and(|(node_id, _)| node_id == it.node_id) {
                        attempts.budget_after = attempts.last;
                    }
                }
            }
        }
        if let Some(order) = effect::order(kind) {
            all.entry(order.node_id.to_owned()).or_default().last = order.attempt;
        }
    }
}

// ---- what a workflow holds ---------------------------------------------------------

#[derive(Deserialize)]
struct WorkflowText<'a> {
    #[serde(borrow)]
    nodes: HashMap<String, NodeText<'a>>,
    #[serde(default)]
    retry_policies: Option<HashMap<String, PolicyText>>,
}

impl OrderRules {
    /// The rules of a workflow of this text.
    ///
    /// What is not of the form that the contract gives a workflow, with nodes
    /// at `/nodes/ID/kind`, holds no node: nothing of it can be ordered.
    pub(crate) fn of(text: &str) -> Self {
        let nodes = serde_json::from_str::<WorkflowText<'_>>(text).map(|workflow| {
            let policies = workflow.retry_policies.unwrap_or_default();
            let nodes = workflow.nodes.into_iter();
            nodes
                .filter_map(|(id, node)| {
                    let rules = NodeRules::of(&id, &node, &policies)?;
                    Some((id, rules))
                })
                .collect()
        });
        Self {
            nodes: nodes.unwrap_or_default(),
        }
    }

    /// The attempts that the policy of a node, or of an instance, gives; 0: there is no
    /// such node.
    pub(crate) fn max_attempts(&self, node_id: &str) -> u32 {
        let node = self.nodes.get(node_id);
        let node = node.or_else(|| self.nodes.get(node_of_run(node_id)));
        node.map_or(0, |node| node.max_attempts)
    }

    /// Whether this node runs its body for each element of a list.
    fn is_map(&self, node_id: &str) -> bool {
        let node = self.nodes.get(node_id);
        node.is_some_and(|node| node.body.is_some())
    }

    /// What an item of this node, instance or compensation has to be. `None` if the workflow
    /// has no such node, or it has no instances, or nothing undoes it.
    fn lawful(&self, node_id: &str) -> Option<Lawful<'_>> {
        if let Some(node) = self.nodes.get(node_id) {
            return Some(Lawful {
                kind: node.kind(),
                literal: node.literal.as_ref(),
                queue: node.queue.as_deref(),
                priority: node.priority,
                max_attempts: node.max_attempts,
                usual_payload: Cow::Borrowed(&node.usual_payload),
            });
        }
        let (node, body) = match undone_by(node_id) {
            Some(undone) => self.undo(undone)?,
            None => self.body(node_id)?,
        };
        let (usual_payload, _) = payload::usual(node_id, &body.kind);
        Some(Lawful {
            kind: &body.kind,
            literal: body.literal.as_ref(),
            queue: body.queue.as_deref(),
            priority: node.priority,
            max_attempts: node.max_attempts,
            usual_payload: usual_payload.into(),
        })
    }

    /// The map of an instance, and what the instance does.
    fn body(&self, node_id: &str) -> Option<(&NodeRules, &BodyRules)> {
        let (map, _) = instance_of(node_id)?;
        let node = self.nodes.get(map)?;
        Some((node, node.body.as_ref()?))
    }

    /// The node of a run, and what undoes that run. Of a map, its instances are undone.
    fn undo(&self, undone: &str) -> Option<(&NodeRules, &BodyRules)> {
        let node = match self.nodes.get(undone) {
            Some(node) => Some(node).filter(|node| node.body.is_none())?,
            None => self.body(undone)?.0,
        };
        Some((node, node.undo.as_ref()?))
    }

    /// What this node, or instance, lets be ordered about children. `None` if it starts
    /// none.
    pub(crate) fn child(&self, node_id: &str) -> Option<&ChildRules> {
        if let Some(node) = self.nodes.get(node_id) {
            return node.child.as_ref();
        }
        self.body(node_id)?.1.child.as_ref()
    }

    /// Why this child is none that the workflow holds, if it is none.
    pub(crate) fn child_fault(&self, order: &ChildOrder) -> Option<String> {
        let fault = match self.child(&order.name.node_id) {
            None => "is of a node that starts none".to_owned(),
            Some(rules) => rules.fault(order)?,
        };
        Some(format!(
            "the child of node {:?} {fault}",
            order.name.node_id
        ))
    }

    /// About how much memory these rules take.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes
            .iter()
            .map(|(id, node)| {
                let body = node.body.as_ref().map_or(0, |body| {
                    body.kind.len() + body.child.as_ref().map_or(0, ChildRules::bytes)
                });
                let body = body + node.child.as_ref().map_or(0, ChildRules::bytes);
                let undo = node.undo.as_ref().map_or(0, |undo| undo.kind.len());
                id.len() + node.usual_payload.len() + body + undo + NODE_BYTES
            })
            .sum()
    }

    /// How long a claim of the items of this node, or instance, holds without a heartbeat,
    /// where the workflow says it.
    pub(crate) fn lease_ms(&self, node_id: &str) -> Option<u64> {
        let node = self.nodes.get(node_id);
        let node = node.or_else(|| self.nodes.get(node_of_run(node_id)));
        node?.lease_ms
    }

    /// Why this item is none that the workflow holds, if it is none; `priority` is the
    /// execution's. Whose it is (execution and tenant) is the caller's to compare.
    pub(crate) fn fault(&self, item: &WorkItem, priority: u32, before: Attempts) -> Option<String> {
        let Some(node) = self.lawful(&item.node_id) else {
            return Some("is of a node that the workflow does not have".to_owned());
        };
        let Some(queue) = node.queue else {
            return Some(
                "is of a node that the scheduler settles itself, without a worker".to_owned(),
            );
        };
        if item.queue != queue {
            return Some(format!(
                "is for the queue {:?}, and the node belongs on {queue:?}",
                item.queue
            ));
        }
        let priority = node.priority.unwrap_or(priority);
        if item.priority != priority {
            return Some(format!(
                "is of priority {}, and the node's is {priority}",
                item.priority
            ));
        }
        let next = before.last.saturating_add(1);
        if item.attempt != next {
            return Some(format!(
                "should be of attempt {next}, the next one of the node"
            ));
        }
        let last = before.budget_after.saturating_add(node.max_attempts);
        if item.max_attempts != last || item.attempt > last {
            return Some(format!(
                "may be tried until attempt {}, and the node's retry policy ends at attempt {last}",
                item.max_attempts
            ));
        }
        node.payload_fault(item)
    }
}

impl Lawful<'_> {
    /// Whether this is the workflow's kind, with any values in the place of expressions.
    fn is_kind(&self, kind: &str) -> bool {
        match self.literal {
            None => kind == self.kind,
            Some(literal) => literal.is_in(kind),
        }
    }

    /// The pointers of the texts into which the worker puts something.
    fn templates(&self) -> &[String] {
        self.literal.map_or(&[], LiteralKind::for_worker)
    }

    /// Whether this payload is spelt as usual. Then nothing but its input is left
    /// to be read, which is most of what these rules cost.
    fn is_usual(&self, payload: &str) -> bool {
        let input = payload.strip_prefix(&*self.usual_payload);
        input
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|input| serde_json::from_str::<IgnoredAny>(input).is_ok())
    }

    fn payload_fault(&self, item: &WorkItem) -> Option<String> {
        if self.literal.is_none() && self.is_usual(&item.payload) {
            return None;
        }
        let payload = match Payload::read(&item.payload) {
            Ok(payload) => payload,
            Err(error) => {
                return Some(format!(
                    "has a payload that is not {{node_id, kind, input, templates?}}: {error}"
                ));
            }
        };
        let differs = match payload {
            _ if payload.node_id != item.node_id => "node_id",
            _ if !self.is_kind(payload.kind.get()) => "kind",
            // The worker looks for the member as it is spelt here.
            _ if payload.templates != self.templates()
                || (!payload.templates.is_empty() && !item.payload.contains(TEMPLATES)) =>
            {
                "templates"
            }
            _ => return None,
        };
        Some(format!(
            "has a `{differs}` in its payload that is not the workflow's"
        ))
    }
}

/// The memory that a node's rules take besides its texts, roughly.
const NODE_BYTES: usize = 96;

#[cfg(test)]
mod tests;
