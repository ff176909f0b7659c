//! The kinds that wait: for a time, for an event, for a person.

use alloc::borrow::Cow;
use alloc::format;

use super::common::{How, targets, text, whole};
use super::templates;
use super::written::{Does, KindSource};
use crate::limits::UNTIL_MAX;
use crate::time::{Millis, Timestamp};
use crate::workflow::fault::quoted;
use crate::workflow::fields::{Fields, check_id};
use crate::workflow::plan::{PlanText, Timer, Wait};
use crate::workflow::typed::Read;

/// A wait for a time, an event, or either.
pub(super) fn read(kind: &Fields<'_, '_>) -> Option<Wait> {
    let condition = text(kind, "condition")?;
    let (needs_timer, needs_key) = match &*condition {
        "timer" => (true, false),
        "external_event" => (false, true),
        "either" => (true, true),
        _ => return None,
    };
    let is_given = |name| kind.raw(name).is_some_and(|json| json != "null");
    let has_timer = is_given("timeout_secs") || is_given("until");
    for (name, is_missing) in [
        ("timeout_secs", needs_timer && !has_timer),
        ("correlation_key", needs_key && !is_given("correlation_key")),
    ] {
        if is_missing {
            let message = format!("a wait for {} needs `{name}`", quoted(&condition));
            let remedy = match name {
                "timeout_secs" => "add `timeout_secs`, or `until`".into(),
                name => format!("add `{name}`"),
            };
            kind.faults.report(kind.place, message, remedy);
        }
    }
    if !needs_key && is_given("correlation_key") {
        let message = "`correlation_key` has no effect: this waits for a time alone";
        let remedy = "leave it out; with the condition \"either\" the wait takes an event, too";
        kind.fault("correlation_key", message, remedy);
    }
    let takes_kept: bool = kind.raw("keep").and_then(Read::read).unwrap_or(true);
    if !takes_kept && !needs_key {
        let message = "`keep` has no effect: this waits for no event";
        kind.fault("keep", message, "leave it out");
    }
    Some(Wait {
        timer: timer(kind),
        takes_kept,
        correlation_key: needs_key.then(|| correlation_key(kind)).flatten(),
        timer_completes: needs_timer,
    })
}

/// [`UNTIL_MAX`], as it is written.
const UNTIL_MAX_TEXT: &str = "2126-01-01T00:00:00Z";

/// When a wait ends by itself: after a span, or at a time.
fn timer(kind: &Fields<'_, '_>) -> Option<Timer> {
    let span = whole(kind, "timeout_secs").map(Millis::from_secs);
    let Some(until) = text(kind, "until") else {
        return span.map(Timer::After);
    };
    if span.is_some() {
        let message = "a wait ends after `timeout_secs`, or at `until`: it cannot have both";
        kind.fault("until", message, "leave out one of them");
    }
    if let Some(template) = templates::text(kind, "until") {
        return Some(Timer::ToldBy(template));
    }
    let time = Timestamp::from_rfc3339(&until);
    if let Err(why) = time {
        let message = format!("{} is no time: {why}", quoted(&until));
        let remedy = "write it like \"2030-01-31T09:30:00Z\" or \"2030-01-31T09:30:00+02:00\"";
        kind.fault("until", message, remedy);
    }
    let is_far = |time: &Timestamp| *time > UNTIL_MAX;
    if time.as_ref().is_ok_and(is_far) {
        let message = format!(
            "{} is too far ahead: no wait ends after {UNTIL_MAX_TEXT}",
            quoted(&until)
        );
        let remedy = format!("write a time until {UNTIL_MAX_TEXT}, or leave it out");
        kind.fault("until", message, remedy);
    }
    time.ok().map(Timer::At)
}

fn correlation_key(kind: &Fields<'_, '_>) -> Option<PlanText> {
    if let Some(template) = templates::text(kind, "correlation_key") {
        return Some(PlanText::Template(template));
    }
    // What holds `${` and is no template was reported.
    let is_literal = |key: &Cow<'_, str>| !key.is_empty() && !key.contains("${");
    let key = text(kind, "correlation_key").filter(is_literal)?;
    check_id(&kind.place.key("correlation_key"), &key, kind.faults);
    Some(PlanText::Literal(key.into_owned()))
}

/// A wait for a person.
pub(super) fn human_approval<'a>(
    kind: &Fields<'a, '_>,
    approval_timeout: Option<Millis>,
) -> Option<KindSource<'a>> {
    if whole(kind, "timeout_secs") == Some(0) {
        kind.fault(
            "timeout_secs",
            "nobody can answer within 0 seconds",
            "give it at least 1 second, or leave it out",
        );
    }
    let does = Does::HumanApproval {
        description: match templates::text(kind, "description") {
            Some(template) => PlanText::Template(template),
            None => PlanText::Literal(text(kind, "description")?.into_owned()),
        },
        timeout: whole(kind, "timeout_secs")
            .map(Millis::from_secs)
            .or(approval_timeout),
        fallback: text(kind, "fallback_node"),
    };
    Some(KindSource {
        does,
        targets: targets(kind, "fallback_node", How::MayChoose),
    })
}
