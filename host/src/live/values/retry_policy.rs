//! A workflow's own retry policy, made in Rust.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// How often and when a node's failed attempts are repeated (rules R11 and R12). Without
/// a back-off, and as the scheduler has it for nodes without a policy, the delay after
/// attempt n is 2 to the power of n seconds, at most 64.
///
/// ```
/// use std::time::Duration;
/// use refrain::RetryPolicy;
///
/// let patient = RetryPolicy::attempts(5)
///     .exponential(Duration::from_secs(1), Duration::from_secs(30))
///     .jitter()
///     .only_on(["io_error", "timeout"])
///     .pause_when_exhausted();
/// # let _ = patient;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetryPolicy {
    max_attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_delay: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_delay: Option<Span>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    jitter: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retryable_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_exhausted: Option<&'static str>,
}

impl RetryPolicy {
    /// So many attempts in all, at least 1: the first one counts.
    #[must_use]
    pub fn attempts(max: u32) -> Self {
        Self {
            max_attempts: max,
            backoff: None,
            initial_delay: None,
            max_delay: None,
            jitter: false,
            retryable_on: Vec::new(),
            on_exhausted: None,
        }
    }

    /// Wait the same before each further attempt.
    #[must_use]
    pub fn fixed(self, delay: Duration) -> Self {
        self.backoff("fixed", delay, None)
    }

    /// Wait `step` longer each time, and at most `max`.
    #[must_use]
    pub fn linear(self, step: Duration, max: Duration) -> Self {
        self.backoff("linear", step, Some(max))
    }

    /// Wait twice as long each time, and at most `max`.
    #[must_use]
    pub fn exponential(self, initial: Duration, max: Duration) -> Self {
        self.backoff("exponential", initial, Some(max))
    }

    fn backoff(self, growth: &'static str, initial: Duration, max: Option<Duration>) -> Self {
        Self {
            backoff: Some(growth),
            initial_delay: Some(Span(initial)),
            max_delay: max.map(Span),
            ..self
        }
    }

    /// Shorten each delay by a share that differs from node to node and from attempt to
    /// attempt, and is the same in a replay. Needs a back-off.
    #[must_use]
    pub fn jitter(self) -> Self {
        Self {
            jitter: true,
            ..self
        }
    }

    /// Repeat only failures of these classes, see [`WorkError::class`](crate::WorkError::class).
    #[must_use]
    pub fn only_on(self, classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            retryable_on: classes.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// When the last attempt has failed, the execution waits for an operator, instead of
    /// the node failing for good.
    #[must_use]
    pub fn pause_when_exhausted(self) -> Self {
        Self {
            on_exhausted: Some("pause"),
            ..self
        }
    }
}

/// A span as workflows write it: whole seconds, else with nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) struct Span(pub(in crate::live) Duration);

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.subsec_nanos() {
            0 => serializer.serialize_u64(self.0.as_secs()),
            nanos => WithNanos {
                secs: self.0.as_secs(),
                nanos,
            }
            .serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct WithNanos {
    secs: u64,
    nanos: u32,
}
