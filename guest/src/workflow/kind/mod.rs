//! What a node's kind means to scheduling: what it does, and where it leads.

mod built_in;
mod common;
mod subgraph;
mod form;
mod templates;
mod written;
mod wait;
pub(super) mod inner;
mod map;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::fields::{Fields, value};
use super::plan::{Join, Kind, RunOn, Terminate, Work};
use super::table::{Field, Type, check_object, may, must};
use super::typed::Read;
use crate::condition::Roots;
use crate::json::{elements, member};
use crate::time::Millis;
pub(super) use common::{How, TargetSource};
use common::{input_mapping, targets, text, violation_target};
use form::{Form, form_of};
pub(super) use subgraph::SUBGRAPH;
pub(super) use written::{BranchSource, Does, KindSource};

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
        "wait" => no_targets(Does::Plainly(Kind::Wait(wait::read(kind)?))),
        "human_approval" => wait::human_approval(kind, approval_timeout),
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
