//! The fields that a workflow, its nodes and its edges may have.

use crate::limits::{PRIORITY_MAX, SPAN_MAX};
use crate::workflow::compensate::COMPENSATE;
use crate::workflow::fields::Effect;
use crate::workflow::table::{Field, RUN_ON, Type, may, must, no_effect};

/// The fields of a workflow.
#[rustfmt::skip]
pub(in crate::workflow) const WORKFLOW: [Field; 24] = [
    may("$schema", Type::Text), must("workflow_id", Type::Id), may("version", Type::Text), may("name", Type::Text),
    may("description", Type::Text), may("labels", Type::AnyObject), must("start_node", Type::Text),
    must("nodes", Type::AnyObject), may("edges", Type::AnyList), may("retry_policies", Type::AnyObject),
    may("timeouts", Type::AnyObject), may("limits", Type::AnyObject), may("token_budget", Type::Any),
    may("cost_budget_usd", Type::Any), may("on_budget_exceeded", Type::Any),
    no_effect("state_schema"), no_effect("models"), no_effect("tools"), no_effect("mcp_servers"),
    no_effect("remote_agents"), no_effect("policy"), no_effect("data_policy"), no_effect("continue_as_new"),
    no_effect("strategy_metadata"),
];

/// The fields of a node.
#[rustfmt::skip]
pub(in crate::workflow) const NODE: [Field; 13] = [
    may("id", Type::Text), must("kind", Type::AnyObject), may(POLICY, Type::Text),
    may(TIMEOUT, Type::Span), may("queue", Type::Id), may("priority", Type::Range(0, PRIORITY_MAX as u64)),
    may("lease_secs", Type::Range(1, SPAN_MAX.0 / 1000)), may("run_on", Type::Word(RUN_ON)), may(COMPENSATE, Type::AnyObject),
    may("description", Type::Text), may("labels", Type::AnyObject),
    no_effect("policy"), no_effect("data_policy"),
];

/// The field of a node that names its retry policy: only what is attempted has a use for it.
pub(in crate::workflow) const POLICY: &str = "retry_policy";

/// The field of a node that says how long an attempt may take: only what is attempted has it.
pub(in crate::workflow) const TIMEOUT: &str = "node_timeout_secs";

/// The fields of a node that speak of work items, and so of nodes that have some.
pub(in crate::workflow) const OF_WORK: [&str; 4] = ["queue", "priority", "lease_secs", "run_on"];

/// The fields of an edge.
pub(in crate::workflow) const EDGE: [Field; 4] = [
    must("from", Type::Text),
    must("to", Type::Text),
    may("condition", Type::Expression),
    may("on", Type::Word(ON)),
];

/// What may become of an edge's source.
const ON: &[&str] = &["success", "failure", "always"];

/// The fields of a workflow's timeouts.
pub(in crate::workflow) const TIMEOUTS: [Field; 4] = [
    may("node_timeout", Type::Span),
    may("workflow_timeout", Type::Span),
    may("approval_timeout", Type::Span),
    Field {
        effect: Effect::None,
        ..may("heartbeat_interval", Type::Span)
    },
];

/// The fields of a workflow's limits.
pub(in crate::workflow) const LIMITS: [Field; 2] = [
    may("max_concurrent_nodes", Type::Range(1, u32::MAX as u64)),
    may("max_dispatch_per_tick", Type::Range(1, u32::MAX as u64)),
];
