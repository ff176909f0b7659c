//! What a node's kind means to scheduling: what it does, and where it leads.

mod built_in;
mod form;
mod map;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::{Place, quoted};
use super::fields::{Fields, Object, Parse, Read, check_id, known, parsed};
use super::plan::{Join, Kind, RunOn, Wait, Work};
use crate::condition::Expression;
use crate::json::{elements, member};
use crate::time::Millis;
use form::{Form, form_of};

#[cfg(test)]
pub(super) use form::queues;

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
        description: String,
        timeout: Option<Millis>,
        fallback: Option<Cow<'a, str>>,
    },
}

/// A branch as written.
pub(super) struct BranchSource<'a> {
    pub(super) condition: Option<Expression>,
    pub(super) target: Cow<'a, str>,
}

/// A node named inside a kind.
pub(super) struct TargetSource<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) pointer: String,
    pub(super) how: How,
}

/// How a kind is related to a node that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It leads there like an edge without a condition.
    Leads,
    /// It leads there if it chooses to.
    MayChoose,
    /// It waits for it: the edge comes from there.
    WaitsFor,
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
}

/// Read a node's kind. `description` is the node's, `approval_timeout` the
/// workflow's. None, and a fault, if it cannot be read.
pub(super) fn read<'a>(
    kind: &Fields<'a, '_>,
    description: Option<Cow<'a, str>>,
    approval_timeout: Option<Millis>,
) -> Option<KindSource<'a>> {
    let form = form_of(kind)?;
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
        "wait" => no_targets(Does::Plainly(Kind::Wait(wait(kind)?))),
        "human_approval" => human_approval(kind, approval_timeout),
        "limit_exceeded" => no_targets(Does::Plainly(Kind::LimitExceeded {
            description: description
                .or_else(|| text(kind, "description"))
                .map(Cow::into_owned),
        })),
        "finalizer" => {
            let run_on = match text(kind, "run_on")?.as_ref() {
                "success" => RunOn::Success,
                "failure" => RunOn::Failure,
                "always" => RunOn::Always,
                _ => return None,
            };
            Some(work(kind, form, Some(run_on), Vec::new()))
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
        queue: form.queue,
        input_mapping: input_mapping(kind, Expression::parse),
        finalizer,
    };
    KindSource {
        does: Does::Plainly(Kind::Work(work)),
        targets,
    }
}

/// JamJet writes an empty mapping where there is none.
fn input_mapping(kind: &Fields<'_, '_>, parse: Parse) -> Option<Vec<(String, Expression)>> {
    let Object(json) = kind.raw("input_mapping").and_then(Object::read)?;
    let place = kind.place.key("input_mapping");
    let mut mapping: Vec<(String, Expression)> = crate::json::members(json)
        .filter_map(|(name, json)| {
            let text: Cow<'_, str> = Read::read(json)?;
            let expression = parsed(&place.key(&name), &text, kind.faults, parse)?;
            Some((name.into_owned(), expression))
        })
        .collect();
    mapping.sort_by(|(a, _), (b, _)| a.cmp(b));
    (!mapping.is_empty()).then_some(mapping)
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
        fields.check_names(["condition", "target"].map(known));
        let condition = fields.expression("condition");
        let Some(target): Option<Cow<'a, str>> = fields.required("target") else {
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
    let custom = member(strategy, "custom").and_then(|custom| member(custom, "function_ref"));
    let join = match text(kind, "merge_strategy").as_deref() {
        Some("collect") => Join::Collect,
        Some("first") => Join::First,
        None if strategy == "null" => Join::Collect,
        None if custom.is_some_and(|name| name.starts_with('"')) => {
            let custom = work(kind, form, None, Vec::new());
            return Some(KindSource { targets, ..custom });
        }
        _ => {
            let remedy = "write \"collect\", \"first\" or {\"custom\": {\"function_ref\": \"…\"}}";
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

fn wait(kind: &Fields<'_, '_>) -> Option<Wait> {
    let condition = text(kind, "condition")?;
    let (needs_timer, needs_key) = match &*condition {
        "timer" => (true, false),
        "external_event" => (false, true),
        "either" => (true, true),
        _ => return None,
    };
    for (name, needed) in [
        ("timeout_secs", needs_timer),
        ("correlation_key", needs_key),
    ] {
        if needed && kind.raw(name).is_none_or(|json| json == "null") {
            let message = format!("a wait for {} needs `{name}`", quoted(&condition));
            kind.faults
                .report(kind.place, message, format!("add `{name}`"));
        }
    }
    let correlation_key = text(kind, "correlation_key").filter(|key| needs_key && !key.is_empty());
    if let Some(key) = &correlation_key {
        check_id(&kind.place.key("correlation_key"), key, kind.faults);
    }
    Some(Wait {
        timer: whole(kind, "timeout_secs").map(Millis::from_secs),
        correlation_key: correlation_key.map(Cow::into_owned),
        timer_completes: needs_timer,
    })
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
        description: text(kind, "description")?.into_owned(),
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

fn violation_target<'a>(kind: &Fields<'a, '_>) -> Vec<TargetSource<'a>> {
    if matches!(text(kind, "on_violation").as_deref(), Some("fail" | "warn")) {
        return Vec::new();
    }
    let branch = kind
        .raw("on_violation")
        .and_then(|json| member(json, "branch"));
    let target = branch
        .and_then(|branch| member(branch, "target"))
        .and_then(Read::read);
    let Some(id) = target else {
        if kind.raw("on_violation").is_some() {
            let remedy = "write \"fail\", \"warn\" or {\"branch\": {\"target\": \"…\"}}";
            kind.fault(
                "on_violation",
                "this is nothing that can be done on a violation",
                remedy,
            );
        }
        return Vec::new();
    };
    let pointer = kind
        .place
        .key("on_violation")
        .key("branch")
        .key("target")
        .pointer();
    Vec::from([TargetSource {
        id,
        pointer,
        how: How::MayChoose,
    }])
}

/// The node, or the nodes, that a field names.
fn targets<'a>(kind: &Fields<'a, '_>, name: &str, how: How) -> Vec<TargetSource<'a>> {
    let place = kind.place.key(name);
    let target = |place: Place<'_>, json| {
        let id = Read::read(json)?;
        Some(TargetSource {
            id,
            pointer: place.pointer(),
            how,
        })
    };
    match kind.raw(name) {
        None => Vec::new(),
        Some(list) if list.starts_with('[') => elements(list)
            .enumerate()
            .filter_map(|(index, json)| target(place.index(index), json))
            .collect(),
        Some(json) => target(place, json).into_iter().collect(),
    }
}

/// The text of a field that the form has checked; None where that was faulty.
fn text<'a>(kind: &Fields<'a, '_>, name: &str) -> Option<Cow<'a, str>> {
    kind.raw(name).and_then(Read::read)
}

/// The whole number of a field that the form has checked.
fn whole(kind: &Fields<'_, '_>, name: &str) -> Option<u64> {
    kind.raw(name).and_then(Read::read)
}
