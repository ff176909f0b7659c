//! What a node's kind means to scheduling: what it does, and where it leads.

mod built_in;
mod form;
mod common;
mod map;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::quoted;
use super::fields::{Fields, check_id, known};
use super::plan::{Join, Kind, RunOn, Wait, Work};
use crate::condition::Expression;
use crate::json::{elements, member};
use crate::time::Millis;
pub(super) use common::{How, TargetSource};
use common::{input_mapping, targets, text, violation_target, whole};
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
