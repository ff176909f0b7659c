//! What one node of a workflow lets be ordered, prepared once from its text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::children::{ChildRules, SUBGRAPH};
use super::literal::LiteralKind;
use super::payload;
use crate::queues;

/// What may be ordered of one node.
#[derive(Debug)]
pub(super) struct NodeRules {
    /// The payload of its items as our own scheduler spells it, up to `input`.
    pub(super) usual_payload: Box<str>,
    /// Where the JSON of `/nodes/ID/kind` stands in it, verbatim.
    kind: Range<usize>,
    /// Its literal parts, if its texts hold expressions (rule R29).
    pub(super) literal: Option<LiteralKind>,
    /// The queue (rule R5). `None` if the scheduler settles the node itself
    /// (rule R6).
    pub(super) queue: Option<Cow<'static, str>>,
    /// How urgent its items are, where the node says it itself.
    pub(super) priority: Option<u32>,
    /// How long a claim of its items holds without a heartbeat, where the node says it.
    pub(super) lease_ms: Option<u64>,
    /// The attempts that the node's policy gives (rule R12).
    pub(super) max_attempts: u32,
    /// What each of its instances does, if it is a map (rule R21).
    pub(super) body: Option<BodyRules>,
    /// The child that it starts, if it does (rule R22).
    pub(super) child: Option<ChildRules>,
    /// What undoes it, or each of its instances (rule R27).
    pub(super) undo: Option<BodyRules>,
}

/// What may be ordered of the instances of a map, or of what undoes a run.
#[derive(Debug)]
pub(super) struct BodyRules {
    /// The JSON of `/nodes/ID/kind/body`, or of `/nodes/ID/compensate`, verbatim.
    pub(super) kind: Box<str>,
    /// The queue (rule R5). `None` if it is of a kind that no instance can have.
    pub(super) queue: Option<Cow<'static, str>>,
    /// Its literal parts, if its texts hold expressions (rule R29).
    pub(super) literal: Option<LiteralKind>,
    /// The child that each instance starts, if it does (rule R22).
    pub(super) child: Option<ChildRules>,
}

#[derive(Deserialize)]
pub(super) struct NodeText<'a> {
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(default)]
    retry_policy: Option<String>,
    #[serde(default)]
    queue: Option<String>,
    #[serde(default)]
    priority: Option<u32>,
    #[serde(default)]
    lease_secs: Option<u64>,
    #[serde(borrow, default)]
    compensate: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct PolicyText {
    max_attempts: u32,
}

#[derive(Deserialize)]
struct KindText<'a> {
    #[serde(rename = "type")]
    name: String,
    /// Of a `task`.
    #[serde(borrow, default)]
    queue: Option<&'a RawValue>,
    #[serde(borrow, default)]
    branches: Option<&'a RawValue>,
    #[serde(borrow, default)]
    merge_strategy: Option<&'a RawValue>,
}

/// The attempts of a node that names no policy (rule R12).
const ATTEMPTS_UNNAMED: u32 = 3;

impl NodeRules {
    /// `None` if the node's kind has no name.
    pub(super) fn of(
        id: &str,
        node: &NodeText<'_>,
        policies: &HashMap<String, PolicyText>,
    ) -> Option<Self> {
        let kind = node.kind.get();
        let (usual_payload, start) = payload::usual(id, kind);
        let read: KindText<'_> = serde_json::from_str(kind).ok()?;
        let literal = LiteralKind::of(&read.name, kind);
        let own = node.queue.as_deref();
        Some(Self {
            queue: queue_of(read, own),
            literal,
            priority: node.priority,
            lease_ms: node.lease_secs.map(|seconds| seconds.saturating_mul(1000)),
            usual_payload: usual_payload.into(),
            kind: start..start + kind.len(),
            max_attempts: max_attempts(node.retry_policy.as_deref(), policies),
            body: BodyRules::of(kind, own),
            child: ChildRules::of(kind),
            undo: node
                .compensate
                .and_then(|kind| BodyRules::of_work(kind.get(), own)),
        })
    }

    /// The JSON of `/nodes/ID/kind`, verbatim.
    pub(super) fn kind(&self) -> &str {
        &self.usual_payload[self.kind.clone()]
    }
}

impl BodyRules {
    /// `None` if this is the kind of no map. `own` is the queue that the node names.
    fn of(kind: &str, own: Option<&str>) -> Option<Self> {
        #[derive(Deserialize)]
        struct MapText<'a> {
            #[serde(rename = "type")]
            name: String,
            #[serde(borrow, default)]
            body: Option<&'a RawValue>,
        }
        let map: MapText<'_> = serde_json::from_str(kind).ok()?;
        let body = map.body.filter(|_| map.name == MAP)?.get();
        Some(Self {
            child: ChildRules::of(body),
            ..Self::of_work(body, own)?
        })
    }

    /// Work of this kind. `None` if the kind has no name.
    fn of_work(kind: &str, own: Option<&str>) -> Option<Self> {
        let read: KindText<'_> = serde_json::from_str(kind).ok()?;
        let literal = LiteralKind::of(&read.name, kind);
        Some(Self {
            queue: queue_of(read, own),
            literal,
            kind: kind.into(),
            child: None,
        })
    }
}

/// The attempts that a policy of this name gives (rule R12): the workflow's
/// own, else a built-in one.
fn max_attempts(policy: Option<&str>, own: &HashMap<String, PolicyText>) -> u32 {
    let Some(name) = policy else {
        return ATTEMPTS_UNNAMED;
    };
    match (own.get(name), name) {
        (Some(policy), _) => policy.max_attempts,
        (None, "no_retry") => 1,
        (None, "io_default") => 5,
        (None, _) => ATTEMPTS_UNNAMED,
    }
}

/// The queue of work of this kind, of a node that may name one of its own; a `task` names
/// its queue itself. `None` if the scheduler settles it itself.
fn queue_of(kind: KindText<'_>, own: Option<&str>) -> Option<Cow<'static, str>> {
    let own = own.filter(|_| kind.name != queues::TASK);
    let of_kind = queue(kind)?;
    Some(own.map_or(of_kind, |own| Cow::Owned(own.to_owned())))
}

/// The queue of a kind (rule R5). `None` if the scheduler settles it itself
/// (rule R6).
fn queue(kind: KindText<'_>) -> Option<Cow<'static, str>> {
    let settled_by_scheduler = match kind.name.as_str() {
        "parallel" | "wait" | "human_approval" | "limit_exceeded" | "terminate" | MAP
        | SUBGRAPH => true,
        "condition" => holds_some(kind.branches),
        // A join that merges by a function of its own has a worker.
        "join" => !kind.merge_strategy.is_some_and(is_custom),
        _ => false,
    };
    if settled_by_scheduler {
        return None;
    }
    if kind.name == queues::TASK {
        let queue = serde_json::from_str(kind.queue?.get()).ok()?;
        return Some(Cow::Owned(queue));
    }
    Some(Cow::Borrowed(queues::of_kind(&kind.name)))
}

/// The kind that runs its body for each element of a list (rule R21).
const MAP: &str = "map";

/// Whether this is a list with elements.
fn holds_some(list: Option<&RawValue>) -> bool {
    let inner = list.and_then(|list| list.get().strip_prefix('['));
    inner.is_some_and(|inner| !inner.trim_start().starts_with(']'))
}

/// Whether a merge strategy names a function: `{"custom": …}`.
fn is_custom(strategy: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Custom {
        #[serde(rename = "custom")]
        _function: IgnoredAny,
    }
    serde_json::from_str::<Custom>(strategy.get()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r12_attempts_are_those_of_the_policy() {
        let own = HashMap::from([("no_retry".to_owned(), PolicyText { max_attempts: 9 })]);
        for (name, built_in, overridden) in [
            (None, 3, 3),
            (Some("no_retry"), 1, 9),
            (Some("io_default"), 5, 5),
            (Some("llm_default"), 3, 3),
        ] {
            assert_eq!(max_attempts(name, &HashMap::new()), built_in, "{name:?}");
            assert_eq!(max_attempts(name, &own), overridden, "{name:?}");
        }
    }
}
