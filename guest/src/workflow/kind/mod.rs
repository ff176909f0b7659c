//! What a node's kind means to scheduling: what it does, and where it leads.

mod built_in;
mod common;
mod subgraph;
mod form;
mod templates;
pub(super) mod inner;
mod map;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::fault::quoted;
use super::fields::{Fields, Read, check_id, value};
use super::plan::{Body, Join, Kind, PlanText, RunOn, Subgraph, Terminate, Timer, Wait, Work};
use super::table::{Field, Type, check_object, may, must};
use crate::condition::{Expression, Roots};
use crate::json::{elements, member};
use crate::limits::UNTIL_MAX;
use crate::time::{Millis, Timestamp};
pub(super) use common::{How, TargetSource};
use common::{input_mapping, targets, text, violation_target, whole};
use form::{Form, form_of};
use subgraph::BODY;
pub(super) use subgraph::SUBGRAPH;

#[cfg(not(target_family = "wasm"))]
pub(super) use form::{MAPPING as MAPPING_FIELD, TYPE, forms};
#[cfg(test)]
pub(super) use form::{beside_kinds, queues};
#[cfg(not(target_family = "wasm"))]
pub(super) use inner::NO_BODIES;
#[cfg(not(target_family = "wasm"))]
pub(super) use map::TOLERATE;
#[cfg(not(target_family = "wasm"))]
pub(super) use subgraph::REPEAT;

/// The fields of a branch of a `condition`.
pub(super) const BRANCH: [Field; 2] = [
    may("condition", Type::Expression),
    must("target", Type::Text),
];

/// A kind as written.
pub(super) struct KindSource<'a> {
    pub(super) does: Does<'a>,
    /// The nodes that it names: edges that nobody need write a second time.
    pub(super) targets: Vec<TargetSource<'a>>,
}

/// What it does.
pub(super) enum Does<'a> {
    /// This, whatever other nodes there are.
    Plainly(Kind),
    /// Takes its first true branch.
    Condition(Vec<BranchSource<'a>>),
    /// Waits for a person.
    HumanApproval {
        description: PlanText,
        timeout: Option<Millis>,
        fallback: Option<Cow<'a, str>>,
    },
}

/// A branch as written.
pub(super) struct BranchSource<'a> {
    pub(super) condition: Option<Expression>,
    pub(super) target: Cow<'a, str>,
}

impl KindSource<'_> {
    pub(super) fn is_finalizer(&self) -> bool {
        matches!(
            &self.does,
            Does::Plainly(Kind::Work(Work {
                finalizer: Some(_),
                ..
            }))
        )
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(&self.does, Does::Plainly(Kind::Map(_)))
    }

    /// Whether it, or each instance of it, starts a child.
    pub(super) fn starts_children(&self) -> bool {
        match &self.does {
            Does::Plainly(Kind::Subgraph(_)) => true,
            Does::Plainly(Kind::Map(map)) => matches!(map.body, Body::Child(_)),
            Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => false,
        }
    }

    /// Whether a worker does it, or a child, and so in attempts.
    pub(super) fn is_attempted(&self) -> bool {
        let is_work = matches!(&self.does, Does::Plainly(Kind::Work(_)));
        is_work || self.is_map() || self.starts_children()
    }

    /// Whether it waits for a time, an event or a person.
    pub(super) fn waits(&self) -> bool {
        matches!(
            &self.does,
            Does::Plainly(Kind::Wait(_)) | Does::HumanApproval { .. }
        )
    }

    /// The child, if it, or each instance of it, starts one whose workflow is written in
    /// place; and where that stands in the kind.
    pub(super) fn in_place_mut(&mut self) -> Option<(&mut Subgraph, &'static [&'static str])> {
        let (subgraph, path): (_, &[&str]) = match &mut self.does {
            Does::Plainly(Kind::Subgraph(subgraph)) => (&mut **subgraph, &[BODY]),
            Does::Plainly(Kind::Map(map)) => match &mut map.body {
                Body::Work(_) => return None,
                Body::Child(subgraph) => (subgraph, &[BODY, BODY]),
            },
            Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => return None,
        };
        subgraph.workflow.is_none().then_some((subgraph, path))
    }

    /// The work, if this is a node for a worker; of a map, that of each instance.
    pub(super) fn work_mut(&mut self) -> Option<&mut Work> {
        match &mut self.does {
            Does::Plainly(Kind::Work(work)) => Some(work),
            Does::Plainly(Kind::Map(map)) => match &mut map.body {
                Body::Work(work) => Some(work),
                Body::Child(_) => None,
            },
            Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => None,
        }
    }
}

/// The endings that the checked field `run_on` names.
pub(super) fn run_on(fields: &Fields<'_, '_>) -> Option<RunOn> {
    match text(fields, "run_on")?.as_ref() {
        "success" => Some(RunOn::Success),
        "failure" => Some(RunOn::Failure),
        "always" => Some(RunOn::Always),
        _ => None,
    }
}

/// Read a node's kind. `description` is the node's, `approval_timeout` the
/// workflow's. None, and a fault, if it cannot be read.
pub(super) fn read<'a>(
    kind: &Fields<'a, '_>,
    description: Option<Cow<'a, str>>,
    approval_timeout: Option<Millis>,
) -> Option<KindSource<'a>> {
    let form = form_of(kind)?;
    if let "wait" | "human_approval" | "terminate" | "limit_exceeded" = form.name {
        templates::refuse_secrets(kind, form);
    }
    let no_targets = |does| {
        Some(KindSource {
            does,
            targets: Vec::new(),
        })
    };
    match form.name {
        "condition" => condition(kind, form),
        "parallel" => {
            let targets = targets(kind, "branches", How::Leads);
            Some(KindSource {
                does: Does::Plainly(Kind::Parallel),
                targets,
            })
        }
        "join" => join(kind, form),
        "map" => no_targets(Does::Plainly(Kind::Map(map::read(kind)?.into()))),
        SUBGRAPH => no_targets(Does::Plainly(Kind::Subgraph(
            subgraph::read(kind, false)?.into(),
        ))),
        "wait" => no_targets(Does::Plainly(Kind::Wait(wait(kind)?))),
        "human_approval" => human_approval(kind, approval_timeout),
        "terminate" => no_targets(Does::Plainly(Kind::Terminate(Terminate {
            fails: text(kind, "status")? == "failed",
            reason: text(kind, "reason").map(Cow::into_owned),
        }))),
        "limit_exceeded" => no_targets(Does::Plainly(Kind::LimitExceeded {
            description: description
                .or_else(|| text(kind, "description"))
                .map(Cow::into_owned),
        })),
        "finalizer" => {
            let run_on = run_on(kind)?;
            Some(work(kind, form, Some(run_on), Vec::new()))
        }
        "task" => {
            let queue = text(kind, "queue")?.into_owned();
            let mut task = work(kind, form, None, Vec::new());
            if let Some(work) = task.work_mut() {
                work.queue = Cow::Owned(queue);
            }
            Some(task)
        }
        "policy" => Some(work(kind, form, None, violation_target(kind))),
        "a2a_task" => {
            let targets = targets(kind, "on_input_required", How::MayChoose);
            Some(work(kind, form, None, targets))
        }
        _ => Some(work(kind, form, None, Vec::new())),
    }
}

fn work<'a>(
    kind: &Fields<'a, '_>,
    form: &Form,
    finalizer: Option<RunOn>,
    targets: Vec<TargetSource<'a>>,
) -> KindSource<'a> {
    let work = Work {
        queue: Cow::Borrowed(form.queue),
        priority: None,
        template: templates::read(kind, form, "/kind", Roots::OF_KINDS).map(Box::new),
        input_mapping: input_mapping(kind, Roots::OF_KINDS),
        finalizer,
    };
    KindSource {
        does: Does::Plainly(Kind::Work(work)),
        targets,
    }
}

fn condition<'a>(kind: &Fields<'a, '_>, form: &Form) -> Option<KindSource<'a>> {
    let place = kind.place.key("branches");
    let json = kind
        .raw("branches")
        .filter(|json| json.starts_with('['))
        .unwrap_or("[]");
    let count = elements(json).count();
    if count == 0 {
        return Some(work(kind, form, None, Vec::new()));
    }
    form.refuse_unknown(kind);
    let mut branches = Vec::with_capacity(count);
    let mut targets = Vec::with_capacity(count);
    for (index, json) in elements(json).enumerate() {
        let place = place.index(index);
        let Some(fields) = Fields::read(&place, json, kind.faults) else {
            continue;
        };
        check_object(&fields, &BRANCH);
        let condition = fields.expression("condition");
        let Some(target): Option<Cow<'a, str>> = fields.get("target") else {
            continue;
        };
        let pointer = place.key("target").pointer();
        targets.push(TargetSource {
            id: target.clone(),
            pointer,
            how: How::MayChoose,
        });
        branches.push(BranchSource { condition, target });
    }
    Some(KindSource {
        does: Does::Condition(branches),
        targets,
    })
}

fn join<'a>(kind: &Fields<'a, '_>, form: &Form) -> Option<KindSource<'a>> {
    let targets = targets(kind, "wait_for", How::WaitsFor);
    let strategy = kind.raw("merge_strategy").unwrap_or("null");
    let is_object = strategy.starts_with('{');
    let of = |name| is_object.then(|| member(strategy, name)).flatten();
    let custom = of("custom").and_then(|custom| member(custom, "function_ref"));
    let cancel_rest: bool = kind
        .raw("cancel_rest")
        .and_then(Read::read)
        .unwrap_or(false);
    let join = match (text(kind, "merge_strategy").as_deref(), of("count")) {
        (Some("first"), _) => Join::First { cancel_rest },
        (None, Some(edges)) if custom.is_none() => Join::Count {
            edges: live_edges(kind, edges)?,
            cancel_rest,
        },
        _ if cancel_rest => {
            let message = "`cancel_rest` has an effect with \"first\" and {\"count\": n} alone: other joins need each edge";
            kind.fault("cancel_rest", message, "leave it out");
            return None;
        }
        (Some("collect"), _) => Join::Collect,
        (None, None) if strategy == "null" => Join::Collect,
        (None, None) if custom.is_some_and(|name| name.starts_with('"')) => {
            let custom = work(kind, form, None, Vec::new());
            return Some(KindSource { targets, ..custom });
        }
        _ => {
            let remedy = "write \"collect\", \"first\", {\"count\": n} or {\"custom\": {\"function_ref\": \"…\"}}";
            kind.fault("merge_strategy", "this is no merge strategy", remedy);
            return None;
        }
    };
    form.refuse_unknown(kind);
    Some(KindSource {
        does: Does::Plainly(Kind::Join(join)),
        targets,
    })
}

/// How many live edges a join waits for.
fn live_edges(kind: &Fields<'_, '_>, json: &str) -> Option<u32> {
    let place = kind.place.key("merge_strategy");
    let place = place.key("count");
    let edges: u32 = value(&place, json, kind.faults)?;
    if edges == 0 {
        let message = "a join that waits for no edge would be ready before anything has happened";
        kind.faults.report(&place, message, "write at least 1");
    }
    Some(edges)
}

fn wait(kind: &Fields<'_, '_>) -> Option<Wait> {
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

fn human_approval<'a>(
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
