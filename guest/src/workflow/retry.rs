//! Retry policies: the built-in ones, and those that a workflow brings (rule R12).

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::{Place, quoted};
use super::fields::{AllowedField, Fields, Span, known, value};
use super::plan::{Backoff, Growth, RetryPolicy};
use crate::json::member;
use crate::limits::{ATTEMPTS_MAX, ERROR_CLASS_BYTES_MAX, is_error_class};
use crate::time::Millis;

/// The names that every workflow knows.
pub(super) const BUILT_IN: [&str; 3] = ["no_retry", "io_default", "llm_default"];

const FIELDS: [AllowedField<'static>; 7] = [
    known("max_attempts"),
    known("backoff"),
    known("initial_delay"),
    known("max_delay"),
    known("jitter"),
    known("retryable_on"),
    known("on_exhausted"),
];

/// What a node without a policy has: 3 attempts.
pub(super) fn unnamed() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 3,
        backoff: None,
        retryable_on: Vec::new(),
        pause_when_exhausted: false,
    }
}

/// The built-in policy of that name.
pub(super) fn built_in(name: &str) -> Option<RetryPolicy> {
    let (max_attempts, backoff) = match name {
        "no_retry" => (1, None),
        "io_default" => (5, Some((1, 30))),
        "llm_default" => (3, Some((2, 60))),
        _ => return None,
    };
    let backoff = backoff.map(|(initial, max)| Backoff {
        growth: Growth::Exponential,
        initial: Millis::from_secs(initial),
        max: Millis::from_secs(max),
        jitter: true,
    });
    Some(RetryPolicy {
        max_attempts,
        backoff,
        ..unnamed()
    })
}

/// The workflow's own policies by name; None where one is faulty.
pub(super) fn read<'a>(workflow: &Fields<'a, '_>) -> BTreeMap<Cow<'a, str>, Option<RetryPolicy>> {
    let place = workflow.place.key("retry_policies");
    workflow
        .map("retry_policies")
        .map(|(name, json)| {
            let place = place.key(&name);
            let policy =
                Fields::read(&place, json, workflow.faults).and_then(|fields| policy(&fields));
            (name.clone(), policy)
        })
        .collect()
}

fn policy(fields: &Fields<'_, '_>) -> Option<RetryPolicy> {
    fields.check_names(FIELDS);
    let max_attempts: Option<u32> = fields.required("max_attempts");
    if let Some(attempts) = max_attempts
        && !(1..=ATTEMPTS_MAX).contains(&attempts)
    {
        let remedy = format!("choose 1 (no retry) to {ATTEMPTS_MAX}");
        fields.fault(
            "max_attempts",
            format!("{attempts} attempts are not possible"),
            remedy,
        );
    }
    let pause_when_exhausted = match fields.optional::<Cow<'_, str>>("on_exhausted").as_deref() {
        None | Some("fail") => false,
        Some("pause") => true,
        Some(other) => {
            let message = format!(
                "{} is nothing that can be done when attempts are exhausted",
                quoted(other)
            );
            fields.fault("on_exhausted", message, "write \"fail\" or \"pause\"");
            false
        }
    };
    let backoff = backoff(fields);
    let retryable_on = classes(fields);
    Some(RetryPolicy {
        max_attempts: max_attempts?,
        backoff,
        retryable_on,
        pause_when_exhausted,
    })
}

fn backoff(fields: &Fields<'_, '_>) -> Option<Backoff> {
    let jitter = fields.optional("jitter").unwrap_or(false);
    let growth: Option<Cow<'_, str>> = fields.optional("backoff");
    let Some(growth) = growth else {
        for name in ["initial_delay", "max_delay", "jitter"] {
            if fields.raw(name).is_some_and(|json| json != "null") {
                let message = format!("`{name}` without `backoff` has no effect");
                fields.fault(
                    name,
                    message,
                    "add `backoff`: \"fixed\", \"linear\" or \"exponential\"",
                );
            }
        }
        return None;
    };
    let growth = match &*growth {
        "fixed" => Some(Growth::Fixed),
        "linear" => Some(Growth::Linear),
        "exponential" => Some(Growth::Exponential),
        other => {
            let message = format!("{} is no back-off", quoted(other));
            fields.fault(
                "backoff",
                message,
                "write \"fixed\", \"linear\" or \"exponential\"",
            );
            None
        }
    };
    let span = |name, Span(span)| {
        fields.check_span(name, span);
        span
    };
    let delay = |name| fields.required(name).map(|delay| span(name, delay));
    let initial = delay("initial_delay");
    // A fixed delay does not grow, so it needs no cap.
    let max = match growth {
        Some(Growth::Fixed) => fields
            .optional("max_delay")
            .map(|max| span("max_delay", max))
            .or(initial),
        _ => delay("max_delay"),
    };
    Some(Backoff {
        growth: growth?,
        initial: initial?,
        max: max?,
        jitter,
    })
}

/// Error classes. JamJet writes one of the worker's own as `{"custom": "x"}`.
fn classes(fields: &Fields<'_, '_>) -> Vec<String> {
    let place = fields.place.key("retryable_on");
    let class = |(index, json): (usize, _)| {
        let place: Place<'_> = place.index(index);
        let name = member(json, "custom").unwrap_or(json);
        let class = value::<Cow<'_, str>>(&place, name, fields.faults)?;
        if !is_error_class(&class) {
            let remedy = format!(
                "write 1 to {ERROR_CLASS_BYTES_MAX} of a to z, 0 to 9, `_`, `.` and `-`, as the worker says it"
            );
            let message = format!("{} is no class of errors", quoted(&class));
            fields.faults.report(&place, message, remedy);
        }
        Some(class.into_owned())
    };
    fields.list("retryable_on").filter_map(class).collect()
}
