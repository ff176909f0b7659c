//! What is set around a graph: policies, timeouts, limits, input, seed.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

/// A retry policy: its name, and what defines it where it is not built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Policy {
    pub(super) name: &'static str,
    definition: Option<&'static str>,
}

const fn built_in(name: &'static str) -> Policy {
    Policy {
        name,
        definition: None,
    }
}

const fn own(name: &'static str, definition: &'static str) -> Policy {
    Policy {
        name,
        definition: Some(definition),
    }
}

/// Every back-off, every limit of classes, and both ways to end.
const POLICIES: [Policy; 9] = [
    built_in("no_retry"),
    built_in("io_default"),
    built_in("llm_default"),
    own("twice", r#"{"max_attempts":2}"#),
    own(
        "fixed",
        r#"{"max_attempts":3,"backoff":"fixed","initial_delay":1}"#,
    ),
    own(
        "io_only",
        r#"{"max_attempts":3,"backoff":"linear","initial_delay":2,"max_delay":3,"retryable_on":["io_error","timeout"]}"#,
    ),
    own(
        "spread",
        r#"{"max_attempts":4,"backoff":"exponential","initial_delay":1,"max_delay":60,"jitter":true}"#,
    ),
    own("held", r#"{"max_attempts":1,"on_exhausted":"pause"}"#),
    own(
        "held_late",
        r#"{"max_attempts":2,"backoff":"fixed","initial_delay":0,"on_exhausted":"pause"}"#,
    ),
];

/// A policy.
pub(super) fn policies() -> impl Strategy<Value = Policy> {
    prop::sample::select(&POLICIES[..])
}

impl Policy {
    /// The line that defines it, where it is not built in.
    pub(super) fn line(self) -> Option<String> {
        Some(format!("policy {} {}", self.name, self.definition?))
    }

    /// Whether it asks for a person when the attempts are spent.
    pub(super) fn pauses(self) -> bool {
        let definition = self.definition.unwrap_or_default();
        definition.contains("\"pause\"")
    }
}

/// What is set for the whole execution.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Seconds.
    workflow_timeout: Option<u16>,
    /// Seconds.
    node_timeout: Option<u8>,
    limits: Option<(u8, u8)>,
    own_limits: Option<(u8, u8)>,
    budget: Option<&'static str>,
    claim: Option<u8>,
    seed: Option<u8>,
}

/// Budgets that are spent after some completions, or not at all.
const BUDGETS: [&str; 6] = [
    r#"{"cost_budget_usd":0.3,"on_budget_exceeded":"pause"}"#,
    r#"{"cost_budget_usd":0.50}"#,
    r#"{"token_budget":25,"on_budget_exceeded":"pause"}"#,
    r#"{"token_budget":{"total_tokens":90,"output_tokens":3},"on_budget_exceeded":"fail"}"#,
    r#"{"token_budget":{"input_tokens":20},"cost_budget_usd":0.249,"on_budget_exceeded":"pause"}"#,
    r#"{"token_budget":1000000}"#,
];

/// Settings; none is what they shrink to.
pub(super) fn settings() -> impl Strategy<Value = Settings> {
    let rarely = prop::option::weighted::<core::ops::RangeInclusive<u8>>;
    let parts = (
        prop::option::weighted(0.2, 10..=330_u16),
        rarely(0.4, 1..=20),
        prop::option::weighted(0.4, (1..=6_u8, 1..=3_u8)),
        prop::option::weighted(0.3, (1..=5_u8, 1..=4_u8)),
        prop::option::weighted(0.2, prop::sample::select(&BUDGETS[..])),
        rarely(0.5, 0..=9),
        rarely(0.3, 0..=255),
    );
    parts.prop_map(
        |(workflow_timeout, node_timeout, limits, own_limits, budget, claim, seed)| Settings {
            workflow_timeout,
            node_timeout,
            limits,
            own_limits,
            budget,
            claim,
            seed,
        },
    )
}

impl Settings {
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let pair = |name: &str, limits: Option<(u8, u8)>| {
            limits.map(|(concurrent, dispatch)| format!("{name} {concurrent} {dispatch}"))
        };
        let lines: Vec<Option<String>> = [
            self.workflow_timeout
                .map(|seconds| format!("timeout {seconds}")),
            self.node_timeout
                .map(|seconds| format!("node_timeout {seconds}")),
            pair("limits", self.limits),
            pair("own_limits", self.own_limits),
            self.budget.map(|budget| format!("budget {budget}")),
            self.claim
                .map(|claim| format!("input {{\"claim\":{claim}}}")),
            self.seed.map(|seed| format!("seed {seed}")),
        ]
        .into();
        lines.into_iter().flatten()
    }
}
