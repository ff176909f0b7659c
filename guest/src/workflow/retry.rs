//! Retry policies: the built-in ones, and those that a workflow brings (rule R12).

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::{Place, quoted};
use super::fields::{Fields, value};
use super::plan::{Backoff, Growth, RetryPolicy};
use super::table::{Field, Type, check_object, may, must};
use super::typed::{List, Object, Span};
use crate::json::{elements, member, members};
use crate::limits::{ATTEMPTS_MAX, ERROR_CLASS_BYTES_MAX, is_error_class};
use crate::time::Millis;

/// The names that every workflow knows.
pub(super) const BUILT_IN: [&str; 3] = ["no_retry", "io_default", "llm_default"];

/// The fields of a retry policy.
pub(super) const POLICY: [Field; 7] = [
    must("max_attempts", Type::Range(1, ATTEMPTS_MAX as u64)),
    may("backoff", Type::Word(&["fixed", "linear", "exponential"])),
    may("initial_delay", Type::Delay),
    may("max_delay", Type::Delay),
    may("jitter", Type::Flag),
    may("retryable_on", Type::AnyList),
    may("on_exhausted", Type::Word(&["fail", "pause"])),
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
    let Object(all) = workflow.get("retry_policies").unwrap_or(Object("{}"));
    members(all)
        .map(|(name, json)| {
            let place = place.key(&name);
            let policy =
                Fields::read(&place, json, workflow.faults).and_then(|fields| policy(&fields));
            (name.clone(), policy)
        })
        .collect()
}

fn policy(fields: &Fields<'_, '_>) -> Option<RetryPolicy> {
    check_object(fields, &POLICY);
    let max_attempts: Option<u32> = fields.get("max_attempts");
    let on_exhausted: Option<Cow<'_, str>> = fields.get("on_exhausted");
    let pause_when_exhausted = on_exhausted.as_deref() == Some("pause");
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
    let jitter = fields.get("jitter").unwrap_or(false);
    if !fields.has("backoff") {
        for name in ["initial_delay", "max_delay", "jitter"] {
            if fields.has(name) {
                let message = format!("`{name}` without `backoff` has no effect");
                fields.fault(
                    name,
                    message,
                    "add `backoff`: \"fixed\", \"linear\" or \"exponential\"",
                );
            }
        }
        return None;
    }
    let growth: Option<Cow<'_, str>> = fields.get("backoff");
    let growth = match growth.as_deref() {
        Some("fixed") => Some(Growth::Fixed),
        Some("linear") => Some(Growth::Linear),
        Some("exponential") => Some(Growth::Exponential),
        _ => None,
    };
    let delay = |name| {
        if !fields.has(name) {
            // It says that the field is missing.
            let _: Option<Span> = fields.required(name);
        }
        fields.get(name).map(|Span(span)| span)
    };
    let initial = delay("initial_delay");
    // A fixed delay does not grow, so it needs no cap.
    let max = match growth {
        Some(Growth::Fixed) => fields.get("max_delay").map(|Span(span)| span).or(initial),
        // Which delays it needs is not known; that is a fault by the table.
        None => fields.get("max_delay").map(|Span(span)| span),
        Some(_) => delay("max_delay"),
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
    let List(all) = fields.get("retryable_on").unwrap_or(List("[]"));
    elements(all).enumerate().filter_map(class).collect()
}
