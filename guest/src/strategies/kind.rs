//! What a generated node does, and how the notation says it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::child::{Bodies, Child, children};
use super::map::{Map, maps};

/// What a node does. Where it names other nodes, they are picked among those
/// that its edges lead to.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// Ordinary work: the notation needs no line for it.
    Work,
    /// Work of another queue.
    Of(&'static str),
    /// Work of a queue that it names.
    Task(&'static str),
    /// Work whose input is mapped.
    Mapped,
    /// Work of this kind whose texts hold expressions, of which some come to nothing,
    /// often, if it is to be so.
    Filled(&'static str, bool),
    /// Takes one of its edges, by conditions: one for each edge, in order.
    Branches(Vec<Option<&'static str>>),
    /// Leads to all of its targets.
    Parallel,
    /// Joins its predecessors, by this strategy.
    Join(&'static str),
    /// Joins the first of its predecessors, or so many of them, and may stop the others.
    Race(Option<u8>, bool),
    /// Joins them by a worker's function.
    CustomJoin,
    /// Waits for so many seconds.
    Timer(u8),
    /// Waits until so many seconds after the epoch, at which executions begin.
    Until(u8),
    /// Waits for an external event, and gives up after so many seconds.
    Event(&'static str, Option<u8>),
    /// The same, but takes none that came before it waited, and gives up at a time.
    Fresh(&'static str, Option<u8>),
    /// Waits for whichever comes first.
    Either(&'static str, u8),
    /// Waits for a person, perhaps for so many seconds only, and then goes to
    /// one of its targets.
    Approval(Option<u8>, Option<u8>),
    /// Work that may choose one of its targets.
    Policy(Option<u8>),
    /// Work that may need input, and goes to one of its targets then.
    A2a(u8),
    /// Fails for good.
    LimitExceeded,
    /// Ends the execution.
    Terminate(&'static str),
    /// Work for each element of a list.
    Map(Map),
    /// A child, or one after another.
    Child(Child),
}

/// The queues that generated nodes name, besides those of their kinds.
pub const OWN_QUEUES: [&str; 2] = ["gpu", "mail"];

/// The correlation keys of generated waits: few, so that they meet.
pub(super) const KEYS: [&str; 2] = ["order", "payment"];

/// Texts that come to one of them when the wait begins, or to nothing.
const KEY_TEXTS: [&str; 8] = [
    "order",
    "order",
    "payment",
    "payment",
    "payment",
    "${state.k0 ? 'order' : 'payment'}",
    "${'or' + 'der'}",
    "pay${state.k1 == 1 ? 'ment' : null}",
];

/// What generated conditions ask; they look at what generated patches write.
const CONDITIONS: [&str; 7] = [
    "state.k0",
    "state.k1 == 1",
    "state.k2 != 2",
    "input.claim > 3",
    "!(state.k0 == 0) && input.claim > 3",
    "has(state.k1) || size(state.list) > 1",
    "state.k0 in [0, 1, 2]",
];

/// A condition.
pub(super) fn condition() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&CONDITIONS[..])
}

/// A queue of a node's own.
pub(super) fn own_queue() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&OWN_QUEUES[..])
}

/// What undoes generated nodes, in the notation; the last comes to nothing, often.
const UNDOS: [&str; 6] = [
    "tool",
    "http",
    r#"{"type":"task","queue":"mail"}"#,
    r#"{"type":"tool","tool_ref":"u","input_mapping":{"id":"node_id","was":"output"}}"#,
    r#"{"type":"command","argv":["undo","${has(output.n)}","${node_id}"]}"#,
    r#"{"type":"command","argv":["undo","${output.n}"]}"#,
];

/// What undoes a node.
pub(super) fn undo() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&UNDOS[..])
}

/// What generated conditions ask of a failure.
const FAILURE_CONDITIONS: [&str; 5] = [
    "error.class == \"io_error\"",
    "error.attempts > 1 || error.class in [\"rejected\", \"approval_timeout\"]",
    "has(error.message)",
    "error.message == null && state.k0",
    "state.k1 == 1",
];

/// A condition on an edge that is judged on a failure.
pub(super) fn failure_condition() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&FAILURE_CONDITIONS[..])
}

/// A node's kind; ordinary work is what it shrinks to.
pub(super) fn kinds(bodies: &Bodies) -> impl Strategy<Value = NodeKind> + use<> {
    let seconds = || 1..=30_u8;
    let key = || prop::sample::select(&KEY_TEXTS[..]);
    let queues = ["tool", "model", "python_fn", "command", "http", "agent"];
    prop_oneof![
        30 => Just(NodeKind::Work),
        4 => prop::sample::select(queues.to_vec()).prop_map(NodeKind::Of),
        2 => own_queue().prop_map(NodeKind::Task),
        3 => Just(NodeKind::Mapped),
        4 => (prop::sample::select(&["command", "http"][..]), prop::bool::weighted(0.2))
            .prop_map(|(kind, is_unsure)| NodeKind::Filled(kind, is_unsure)),
        4 => prop::collection::vec(prop::option::of(condition()), 1..4).prop_map(NodeKind::Branches),
        3 => Just(NodeKind::Parallel),
        6 => prop::sample::select(&["collect", "first"][..]).prop_map(NodeKind::Join),
        4 => (prop::option::of(any::<u8>()), prop::bool::weighted(0.7))
            .prop_map(|(count, cancel_rest)| NodeKind::Race(count, cancel_rest)),
        1 => Just(NodeKind::CustomJoin),
        3 => seconds().prop_map(NodeKind::Timer),
        1 => seconds().prop_map(NodeKind::Until),
        1 => (key(), prop::option::of(seconds())).prop_map(|(key, until)| NodeKind::Fresh(key, until)),
        2 => (key(), prop::option::of(seconds())).prop_map(|(key, give_up)| NodeKind::Event(key, give_up)),
        2 => (key(), seconds()).prop_map(|(key, timer)| NodeKind::Either(key, timer)),
        4 => (prop::option::of(seconds()), prop::option::of(any::<u8>()))
            .prop_map(|(give_up, fallback)| NodeKind::Approval(give_up, fallback)),
        3 => prop::option::of(any::<u8>()).prop_map(NodeKind::Policy),
        1 => any::<u8>().prop_map(NodeKind::A2a),
        1 => Just(NodeKind::LimitExceeded),
        1 => prop::sample::select(&["completed", "failed"][..]).prop_map(NodeKind::Terminate),
        // Boxed, as they hold whole workflows: what is drawn stands on the stack.
        3 => maps(bodies).prop_map(NodeKind::Map).boxed(),
        3 => children(bodies).prop_map(NodeKind::Child).boxed(),
    ]
}

/// The neighbours of a node, by name.
pub(super) struct Neighbours<'a> {
    pub(super) sources: &'a [String],
    pub(super) targets: &'a [String],
}

impl NodeKind {
    /// Its name, the word after it, and its own fields, as in the notation;
    /// no name where ordinary work needs none.
    pub(super) fn said(&self, near: &Neighbours<'_>) -> (&'static str, Option<&str>, Value) {
        let nothing = || json!({});
        let target = |pick: u8| {
            near.targets
                .get(usize::from(pick) % near.targets.len().max(1))
        };
        match self {
            Self::Work => ("condition", None, nothing()),
            Self::Of(kind) => (kind, None, nothing()),
            Self::Task(queue) => ("task", Some(queue), json!({ "steps": [1, "two"] })),
            Self::Mapped => {
                let mapping = json!({"a": "state.k0", "b": "input.claim"});
                ("tool", None, json!({ "input_mapping": mapping }))
            }
            Self::Filled(kind, is_unsure) => (kind, None, filled(kind, *is_unsure)),
            Self::Branches(conditions) => ("condition", None, branches(conditions, near.targets)),
            Self::Parallel => ("parallel", None, json!({ "branches": near.targets })),
            Self::Join(strategy) => ("join", Some(strategy), json!({ "wait_for": near.sources })),
            Self::Race(count, cancel_rest) => {
                let edges = near.sources.len().max(1);
                let strategy = match count {
                    Some(count) => json!({ "count": 1 + usize::from(*count) % edges }),
                    None => json!("first"),
                };
                let fields = json!({ "wait_for": near.sources, "merge_strategy": strategy, "cancel_rest": cancel_rest });
                ("join", None, fields)
            }
            Self::CustomJoin => {
                let custom = json!({"custom": {"function_ref": "f"}});
                (
                    "join",
                    None,
                    json!({ "merge_strategy": custom, "wait_for": near.sources }),
                )
            }
            Self::Timer(seconds) => ("wait", Some("timer"), json!({ "timeout_secs": seconds })),
            Self::Until(seconds) => ("wait", Some("timer"), json!({ "until": told(*seconds) })),
            Self::Fresh(key, until) => {
                let mut fields = json!({ "correlation_key": key, "keep": false });
                if let Some(seconds) = until {
                    fields["until"] = json!(time(*seconds));
                }
                ("wait", Some("external_event"), fields)
            }
            Self::Event(key, give_up) => {
                let mut fields = json!({ "correlation_key": key });
                if let Some(seconds) = give_up {
                    fields["timeout_secs"] = json!(seconds);
                }
                ("wait", Some("external_event"), fields)
            }
            Self::Either(key, seconds) => {
                let fields = json!({ "correlation_key": key, "timeout_secs": seconds });
                ("wait", Some("either"), fields)
            }
            Self::Approval(give_up, fallback) => {
                let mut fields = match give_up {
                    Some(seconds) if seconds % 3 == 0 => {
                        json!({ "description": "${node_id}:${state.k1 == null ? 'no' : state.k1}?" })
                    }
                    _ => nothing(),
                };
                if let Some(seconds) = give_up {
                    fields["timeout_secs"] = json!(seconds);
                }
                if let Some(target) = fallback.and_then(target) {
                    fields["fallback_node"] = json!(target);
                }
                ("human_approval", None, fields)
            }
            Self::Policy(violation) => {
                let fields = violation
                    .and_then(target)
                    .map(|target| json!({ "on_violation": { "branch": { "target": target } } }));
                ("policy", None, fields.unwrap_or_else(nothing))
            }
            Self::A2a(pick) => {
                let fields = target(*pick).map(|target| json!({ "on_input_required": target }));
                ("a2a_task", None, fields.unwrap_or_else(nothing))
            }
            Self::LimitExceeded => ("limit_exceeded", None, nothing()),
            Self::Terminate(status) => ("terminate", Some(status), json!({ "reason": "no stock" })),
            Self::Map(map) => ("map", None, map.fields()),
            Self::Child(child) => ("subgraph", None, child.fields()),
        }
    }

    /// Whether a worker does it, and its node may name another queue.
    pub(super) fn may_name_a_queue(&self) -> bool {
        match self {
            Self::Work | Self::Of(_) | Self::Mapped | Self::Filled(..) | Self::CustomJoin => true,
            Self::Policy(_) | Self::A2a(_) => true,
            Self::Map(map) => map.is_work(),
            Self::Child(_) => false,
            Self::Task(_) | Self::Branches(_) | Self::Parallel => false,
            Self::Join(_) | Self::Race(..) => false,
            Self::Timer(_) | Self::Until(_) | Self::Event(..) | Self::Fresh(..) => false,
            Self::Either(..) | Self::Approval(..) => false,
            Self::LimitExceeded | Self::Terminate(_) => false,
        }
    }

    /// Whether a worker completes it, or its instances.
    pub(super) fn may_be_undone(&self) -> bool {
        self.may_name_a_queue() || matches!(self, Self::Task(_))
    }

    /// Whether a worker or a child does it, or its instances, and so in attempts.
    pub(super) fn is_attempted(&self) -> bool {
        self.may_be_undone() || matches!(self, Self::Map(_) | Self::Child(_))
    }

    /// Whether the edges that leave it are conditional by themselves.
    pub(super) fn decides(&self) -> bool {
        matches!(self, Self::Branches(_))
    }

    /// Whether it can fail for good.
    pub(super) fn can_fail(&self) -> bool {
        !matches!(
            self,
            Self::Branches(_)
                | Self::Parallel
                | Self::Join(_)
                | Self::Race(..)
                | Self::Terminate(_)
        )
    }

    /// Whether it says all by itself where it leads, so that the edges need
    /// not be written.
    pub(super) fn leads(&self) -> bool {
        matches!(self, Self::Parallel)
    }

    /// Whether it says all by itself from where it is reached.
    pub(super) fn gathers(&self) -> bool {
        matches!(self, Self::Join(_) | Self::Race(..) | Self::CustomJoin)
    }

    /// Whether nothing can follow it.
    pub(super) fn ends(&self) -> bool {
        matches!(self, Self::Terminate(_))
    }

    /// Whether it cannot be where an execution begins.
    pub(super) fn needs_sources(&self) -> bool {
        matches!(self, Self::Race(..) | Self::Terminate(_))
    }
}

/// So many seconds after the epoch, as RFC 3339 writes it.
fn time(seconds: u8) -> String {
    format!("1970-01-01T00:00:{:02}Z", seconds % 60)
}

/// The same, sometimes told by an expression.
fn told(seconds: u8) -> String {
    match seconds.is_multiple_of(3) {
        true => format!("${{'{}'}}", time(seconds)),
        false => time(seconds),
    }
}

/// Texts that always come to something, and one that may come to nothing: patches write
/// `k0` to `k2` and `list`, sooner or later or never.
fn filled(kind: &str, is_unsure: bool) -> Value {
    let last = if is_unsure {
        "<${state.k1}>"
    } else {
        "<${state.k1 == 1}>"
    };
    match kind {
        "command" => json!({
            "argv": ["run", "${node_id}", "-n=${state.k0 == null ? 0 : state.k0}", "$${literal}"],
            "env": {
                "LIST": "${[1] + (state.list == null ? [] : state.list)}", "K1": last,
                "KEY": "${secret.KEY}", "ALL": "$${secret.KEY} ${'$'}{secret.A} $${input} ${input}${execution_id}$",
            },
        }),
        _ => json!({
            "url": "http://h/${node_id}/${state.k2 == null ? 'a b' : state.k2}?all=${[node_id]}",
            "headers": {"X-Claim": "${has(input.claim)}", "X-Errors": "${errors}", "X-Key": "${'$$'}${ secret.KEY } of ${node_id}"},
            "body": {"k": ["${input}", "${state.k0 ? 'k/' + node_id : 1}", {"l": last}]},
        }),
    }
}

/// A branch for each condition, to the targets in turn; one with no target
/// left leads to the end.
fn branches(conditions: &[Option<&'static str>], targets: &[String]) -> Value {
    let branch = |(place, condition): (usize, &Option<&str>)| {
        let target = targets.get(place).map_or("end", String::as_str);
        match condition {
            Some(condition) => json!({ "condition": condition, "target": target }),
            None => json!({ "target": target }),
        }
    };
    let branches: Vec<Value> = conditions.iter().enumerate().map(branch).collect();
    json!({ "branches": branches })
}

/// The line of a node; none where it needs none.
pub(super) fn line(
    id: &str,
    said: (&str, Option<&str>, Value),
    options: &[String],
) -> Option<String> {
    let (kind, word, fields) = said;
    let has_fields = fields.as_object().is_some_and(|fields| !fields.is_empty());
    if kind == "condition" && !has_fields && options.is_empty() {
        return None;
    }
    let mut line = format!("{id}: {kind}");
    let words = word.into_iter().chain(options.iter().map(String::as_str));
    let json = has_fields.then(|| fields.to_string());
    for part in words.map(ToString::to_string).chain(json) {
        line.push(' ');
        line.push_str(&part);
    }
    Some(line)
}
