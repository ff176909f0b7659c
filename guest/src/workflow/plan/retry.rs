//! What follows a failed attempt.

use alloc::string::String;
use alloc::vec::Vec;

use crate::time::Millis;

/// What follows a failed attempt (rules R11 and R12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included; at least 1.
    pub max_attempts: u32,
    /// The delays; None: 2^min(n, 6) seconds.
    pub backoff: Option<Backoff>,
    /// The error classes that are retried; empty: all.
    pub retryable_on: Vec<String>,
    /// Stall instead of failing for good (`on_exhausted: pause`).
    pub pause_when_exhausted: bool,
}

/// How long to wait before a further attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How the delay grows.
    pub growth: Growth,
    /// The delay after the first failed attempt.
    pub initial: Millis,
    /// The longest delay.
    pub max: Millis,
    /// Whether to spread delays over [50 %, 100 %] of themselves.
    pub jitter: bool,
}

/// How a delay grows with failed attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Always the same.
    Fixed,
    /// n times the first.
    Linear,
    /// Twice the one before.
    Exponential,
}
