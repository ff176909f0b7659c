//! What the schema says of an object besides its fields, one by one: which of them go
//! together.

use alloc::string::String;

use serde_json::{Map, Value, json};

use crate::workflow::compensate::COMPENSATE;
use crate::workflow::kind::TYPE;
use crate::workflow::source::{OF_WORK, TIMEOUT};

/// The kinds whose nodes no worker does, whatever else they say.
const WITHOUT_WORKER: [&str; 6] = [
    "parallel",
    "wait",
    "human_approval",
    "limit_exceeded",
    "terminate",
    "subgraph",
];

/// The kinds whose nodes neither a worker nor a child does, and so not in attempts.
const NEVER_ATTEMPTED: [&str; 5] = [
    "parallel",
    "wait",
    "human_approval",
    "limit_exceeded",
    "terminate",
];

/// The kinds whose nodes no worker and no child completes, whatever else they say, and
/// what runs at the end: nothing undoes them.
const NEVER_UNDONE: [&str; 6] = [
    "parallel",
    "wait",
    "human_approval",
    "limit_exceeded",
    "terminate",
    "finalizer",
];

pub(super) fn has_branches() -> Value {
    json!({
        "properties": { "branches": { "type": "array", "minItems": 1 } },
        "required": ["branches"],
    })
}

pub(super) fn merges_by_a_worker() -> Value {
    json!({
        "properties": { "merge_strategy": { "type": "object" } },
        "required": ["merge_strategy"],
    })
}

/// The fields that speak of work items stand only where there are some, and say nothing
/// that the kind says already.
pub(super) fn node_rules() -> Value {
    let nothing = |fields: &[&str]| {
        let fields: Map<String, Value> = fields
            .iter()
            .map(|name| (String::from(*name), json!({ "type": "null" })))
            .collect();
        json!({ "properties": fields })
    };
    let of_kind = |kind: Value| json!({ "properties": { "kind": kind }, "required": ["kind"] });
    let named =
        |names: &[&str]| json!({ "properties": { TYPE: { "enum": names } }, "required": [TYPE] });
    let condition = json!({ "allOf": [named(&["condition"]), has_branches()] });
    let join = json!({ "allOf": [named(&["join"]), { "not": merges_by_a_worker() }] });
    let map_of = |body: &Value| {
        json!({ "allOf": [named(&["map"]), {
            "properties": { "body": body },
            "required": ["body"],
        }] })
    };
    let map_of_children = map_of(&named(&["subgraph"]));
    let detached = json!({ "allOf": [named(&["subgraph"]), {
        "properties": { "detached": { "const": true } },
        "required": ["detached"],
    }] });
    let each_detached = map_of(&detached);
    let of_no_attempt = [&OF_WORK[..], &[COMPENSATE, TIMEOUT]].concat();
    let runs_at_the_end = json!({
        "properties": { "run_on": { "not": { "type": "null" } } },
        "required": ["run_on"],
    });
    json!([
        { "if": of_kind(named(&WITHOUT_WORKER)), "then": nothing(&OF_WORK) },
        { "if": of_kind(map_of_children), "then": nothing(&OF_WORK) },
        { "if": of_kind(condition), "then": nothing(&of_no_attempt) },
        { "if": of_kind(join), "then": nothing(&of_no_attempt) },
        { "if": of_kind(named(&NEVER_ATTEMPTED)), "then": nothing(&[TIMEOUT]) },
        { "if": of_kind(named(&["task"])), "then": nothing(&["queue"]) },
        { "if": of_kind(named(&["finalizer", "map"])), "then": nothing(&["run_on"]) },
        { "if": of_kind(named(&NEVER_UNDONE)), "then": nothing(&[COMPENSATE]) },
        { "if": of_kind(json!({ "anyOf": [detached, each_detached] })), "then": nothing(&[COMPENSATE]) },
        { "if": runs_at_the_end, "then": nothing(&[COMPENSATE]) },
    ])
}

/// Delays without a back-off have no effect, and one that grows has a bound.
pub(super) fn policy_rules() -> Value {
    let present = json!({ "not": { "type": "null" } });
    let grows = json!({
        "properties": { "backoff": { "enum": ["linear", "exponential"] } },
        "required": ["backoff"],
    });
    let none = json!({ "type": "null" });
    json!([
        {
            "if": { "properties": { "backoff": present }, "required": ["backoff"] },
            "then": { "properties": { "initial_delay": present }, "required": ["initial_delay"] },
            "else": { "properties": { "initial_delay": none, "max_delay": none, "jitter": none } },
        },
        { "if": grows, "then": { "properties": { "max_delay": present }, "required": ["max_delay"] } },
    ])
}

/// Either a number or a share.
pub(super) fn tolerance_rules() -> Value {
    let only = |one: &str, other: &str| {
        json!({
            "required": [one],
            "properties": { one: { "not": { "type": "null" } }, other: { "type": "null" } },
        })
    };
    json!([only("failures", "percent"), only("percent", "failures")])
}
