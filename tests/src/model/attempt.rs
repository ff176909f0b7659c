//! What follows a failed attempt, and when (rules R11 to R13).

use refrain_guest::contract::{NodeFailed, NodeFailure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::graph::Graph;
use super::times::milliseconds;

/// A failed attempt, of which it is not decided yet what follows.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) cause: NodeFailure,
    pub(super) class: Option<String>,
    pub(super) retryable: bool,
    /// How long the other side asked for not to be tried again, in milliseconds.
    pub(super) retry_after_ms: u64,
    /// Nobody answered, and the lease is over.
    pub(super) expired: bool,
    /// Of a child: when the next one is asked for, if not at once.
    pub(super) again_at: Option<u64>,
}

/// A node's retry policy, as JSON: the workflow's own, a built-in one, or what
/// holds where none is named (rule R12).
pub(super) fn policy(graph: &Graph, node: usize) -> Value {
    let exponential = |attempts: u32, initial: u32, max: u32| json!({"max_attempts": attempts, "backoff": "exponential", "initial_delay": initial, "max_delay": max, "jitter": true});
    let Some(name) = graph.nodes[node].json["retry_policy"].as_str() else {
        return json!({"max_attempts": 3});
    };
    match &graph.json["retry_policies"][name] {
        Value::Null => match name {
            "no_retry" => json!({"max_attempts": 1}),
            "io_default" => exponential(5, 1, 30),
            "llm_default" => exponential(3, 2, 60),
            _ => panic!("a valid workflow names no policy `{name}`"),
        },
        own => own.clone(),
    }
}

pub(super) fn max_attempts(policy: &Value) -> u32 {
    let attempts = policy["max_attempts"].as_u64();
    attempts
        .and_then(|it| u32::try_from(it).ok())
        .expect("a policy says how many")
}

impl Failure {
    /// What a worker said of it.
    pub(super) fn reported(failed: &NodeFailed) -> Self {
        Self {
            cause: NodeFailure::AttemptFailed(failed.error.clone()),
            class: failed.error_class.clone(),
            retryable: failed.retryable,
            retry_after_ms: failed.retry_after_ms.unwrap_or(0),
            expired: false,
            again_at: None,
        }
    }

    /// R13: the worker is gone.
    pub(super) fn nobody_answers() -> Self {
        Self {
            cause: NodeFailure::LeaseExpired,
            class: None,
            retryable: true,
            retry_after_ms: 0,
            expired: true,
            again_at: None,
        }
    }

    /// It took longer than its node may.
    pub(super) fn timeout(timeout_ms: u64) -> Self {
        Self {
            cause: NodeFailure::Timeout(timeout_ms),
            class: Some("timeout".to_owned()),
            retryable: true,
            retry_after_ms: 0,
            expired: false,
            again_at: None,
        }
    }

    /// A child came to nothing.
    pub(super) fn of_child(cause: NodeFailure, retryable: bool) -> Self {
        let class = match &cause {
            NodeFailure::Timeout(_) => "timeout",
            NodeFailure::ChildFailed(_) => "child_failed",
            NodeFailure::ChildCancelled => "child_cancelled",
            NodeFailure::ChildRefused(_) => "child_refused",
            NodeFailure::RepeatLimit(_) => "repeat_limit",
            NodeFailure::TooLarge(_) => "too_large",
            other => panic!("no child comes to {other:?}"),
        };
        Self {
            class: Some(class.to_owned()),
            cause,
            retryable,
            retry_after_ms: 0,
            expired: false,
            again_at: None,
        }
    }

    /// Whether a further attempt could help, if there is one left.
    pub(super) fn is_retried(&self, policy: &Value) -> bool {
        let classes = policy["retryable_on"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let named = |class: &Value| {
            let name = class.get("custom").unwrap_or(class).as_str();
            name.is_some() && name == self.class.as_deref()
        };
        self.retryable && (self.expired || classes.is_empty() || classes.iter().any(named))
    }

    /// The delay after failed attempt n, in milliseconds: the policy's, or what the
    /// other side asked for where that is longer (rules R11 and R12).
    pub(super) fn delay_ms(&self, policy: &Value, attempt: u32, seed: u64, node_id: &str) -> u64 {
        let of_policy = self.policy_delay_ms(policy, attempt, seed, node_id);
        of_policy.max(self.retry_after_ms)
    }

    fn policy_delay_ms(&self, policy: &Value, attempt: u32, seed: u64, node_id: &str) -> u64 {
        let span = |field: &str| milliseconds(&policy[field]);
        let initial = span("initial_delay").unwrap_or(0);
        let n = u64::from(attempt);
        let grown = match policy["backoff"].as_str().filter(|_| !self.expired) {
            None => return 1_000 << attempt.min(6),
            Some("fixed") => initial,
            Some("linear") => initial.saturating_mul(n),
            Some(_exponential) => (1..n).fold(initial, |delay, _| delay.saturating_mul(2)),
        };
        let delay = grown.min(span("max_delay").unwrap_or(u64::MAX));
        if policy["jitter"] == true {
            jittered(delay, attempt, seed, node_id)
        } else {
            delay
        }
    }
}

/// Delay × (50 % + 50 % × u), with u in [0, 1) from (seed, node, attempt).
fn jittered(delay: u64, attempt: u32, seed: u64, node_id: &str) -> u64 {
    let hash = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(node_id)
        .chain_update(attempt.to_le_bytes())
        .finalize();
    let first: [u8; 8] = hash[..8].try_into().expect("a SHA-256 has 32 bytes");
    let u = u128::from(u64::from_le_bytes(first));
    let jittered = (u128::from(delay) * ((1 << 64) + u)) >> 65;
    u64::try_from(jittered).expect("no more than the delay")
}
