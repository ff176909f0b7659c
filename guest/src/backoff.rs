//! Whether a failed attempt is followed by another one, and after how long (rules R11, R12
//! and R13).

use sha2::{Digest as _, Sha256};

use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::Failure;
use crate::time::Millis;
use crate::workflow::plan::{Backoff, Growth, RetryPolicy};

/// The delays without a policy double until the sixth failed attempt.
const DOUBLINGS_MAX: u32 = 6;

/// Whether a further attempt follows this failure of a run's last one.
pub(crate) fn is_retried(machine: &Machine, run: RunIx, failure: &Failure) -> bool {
    let record = machine.record(run);
    record.attempt < record.max_attempts && may_be_retried(&machine.node(run).retry, failure)
}

/// The policy's delay, or what the other side asked for where that is longer.
pub(crate) fn delay(machine: &Machine, run: RunIx, failure: &Failure) -> Millis {
    let asked_for = failure.retry_after.unwrap_or_default();
    policy_delay(machine, run, failure).max(asked_for)
}

fn policy_delay(machine: &Machine, run: RunIx, failure: &Failure) -> Millis {
    let attempt = machine.record(run).attempt;
    match &machine.node(run).retry.backoff {
        Some(backoff) if !failure.is_lease_expired() => backoff_delay(
            backoff,
            machine.state.started.seed,
            &machine.node_id(run),
            attempt,
        ),
        _ => Millis::from_secs(1 << attempt.min(DOUBLINGS_MAX)),
    }
}

/// Rule R13: an expired lease says nothing about the work, so every policy
/// retries it.
fn may_be_retried(policy: &RetryPolicy, failure: &Failure) -> bool {
    let is_class_retried = || {
        let class = failure.class.as_ref();
        policy.retryable_on.is_empty()
            || class.is_some_and(|class| policy.retryable_on.contains(class))
    };
    failure.retryable && (failure.is_lease_expired() || is_class_retried())
}

/// The delay after failed attempt `attempt` (rule R12).
fn backoff_delay(backoff: &Backoff, seed: u64, node_id: &str, attempt: u32) -> Millis {
    let initial = backoff.initial.0;
    let grown = match backoff.growth {
        Growth::Fixed => initial,
        Growth::Linear => initial.saturating_mul(u64::from(attempt)),
        Growth::Exponential => initial.saturating_mul(
            1_u64
                .checked_shl(attempt.saturating_sub(1))
                .unwrap_or(u64::MAX),
        ),
    };
    let delay = grown.min(backoff.max.0);
    Millis(if backoff.jitter {
        jittered(delay, seed, node_id, attempt)
    } else {
        delay
    })
}

/// Between 50 % and 100 % of `delay`, by a share that the seed, the node and
/// the attempt determine. Whole numbers only: no rounding depends on a machine.
fn jittered(delay: u64, seed: u64, node_id: &str, attempt: u32) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(node_id.as_bytes());
    hash.update(attempt.to_le_bytes());
    let mut share = [0; 8];
    share.copy_from_slice(&hash.finalize()[..8]);
    let half = delay / 2;
    let spread = (u128::from(delay - half) * u128::from(u64::from_le_bytes(share))) >> 64;
    half + u64::try_from(spread).unwrap_or(delay - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(growth: Growth, initial_secs: u64, max_secs: u64, jitter: bool) -> Backoff {
        Backoff {
            growth,
            initial: Millis::from_secs(initial_secs),
            max: Millis::from_secs(max_secs),
            jitter,
        }
    }

    #[test]
    fn r12_delays_grow_to_their_cap() {
        let rows = [
            (Growth::Fixed, [2_000, 2_000, 2_000, 2_000]),
            (Growth::Linear, [2_000, 4_000, 6_000, 7_000]),
            (Growth::Exponential, [2_000, 4_000, 7_000, 7_000]),
        ];
        for (growth, expected) in rows {
            let backoff = backoff(growth, 2, 7, false);
            let delays = [1, 2, 3, 4].map(|attempt| backoff_delay(&backoff, 0, "a", attempt).0);
            assert_eq!(delays, expected, "{growth:?}");
            let last = backoff_delay(&backoff, 0, "a", u32::MAX).0;
            assert_eq!(last, expected[3], "{growth:?}");
        }
    }

    #[test]
    fn r12_jitter_is_derived_and_stays_in_its_half() {
        let backoff = backoff(Growth::Fixed, 10, 10, true);
        let mut seen = alloc::collections::BTreeSet::new();
        for seed in 0..200 {
            let delay = backoff_delay(&backoff, seed, "a", 1);
            assert!((5_000..=10_000).contains(&delay.0), "{delay:?}");
            assert_eq!(delay, backoff_delay(&backoff, seed, "a", 1));
            seen.insert(delay);
        }
        assert!(seen.len() > 150, "only {} different delays", seen.len());
        assert_ne!(
            backoff_delay(&backoff, 1, "a", 1),
            backoff_delay(&backoff, 1, "b", 1)
        );
        assert_ne!(
            backoff_delay(&backoff, 1, "a", 1),
            backoff_delay(&backoff, 1, "a", 2)
        );
    }
}
