//! The nodes of a workflow, as written.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use super::settings::{Timeouts, span};
use super::tables::{NODE, OF_WORK, POLICY, TIMEOUT};
use crate::json::members;
use crate::limits::{ID_BYTES_MAX, IGNORED_NAMED_MAX, INSTANCE_SUFFIX_BYTES, NODES_MAX};
use crate::resembling::resembling;
use crate::time::Millis;
use crate::workflow::compensate;
use crate::workflow::fault::{Faults, Place, quoted};
use crate::workflow::fields::{Fields, check_id};
use crate::workflow::kind::{self, KindSource};
use crate::workflow::plan::{Compensation, END, RetryPolicy, RunOn};
use crate::workflow::retry;
use crate::workflow::table::check_object;
use crate::workflow::typed::Object;

/// A node as written.
pub(in crate::workflow) struct NodeSource<'a> {
    pub(in crate::workflow) id: Cow<'a, str>,
    /// None if it is faulty.
    pub(in crate::workflow) kind: Option<KindSource<'a>>,
    /// The JSON of `kind`, verbatim.
    pub(in crate::workflow) kind_json: &'a str,
    pub(in crate::workflow) retry: RetryPolicy,
    pub(in crate::workflow) timeout: Option<Millis>,
    /// What undoes it (rule R27).
    pub(in crate::workflow) compensation: Option<Compensation>,
}

impl NodeSource<'_> {
    /// Whether it runs at the end (rule R16).
    pub(in crate::workflow) fn is_finalizer(&self) -> bool {
        self.kind.as_ref().is_some_and(KindSource::is_finalizer)
    }

    /// Whether a worker does it, or a child, and so in attempts; unless it is faulty.
    pub(in crate::workflow) fn is_attempted(&self) -> bool {
        self.kind.as_ref().is_some_and(KindSource::is_attempted)
    }
}

/// The nodes of a workflow, sorted by id.
pub(super) fn nodes<'a>(workflow: &Fields<'a, '_>, timeouts: &Timeouts) -> Vec<NodeSource<'a>> {
    let faults = workflow.faults;
    let policies = retry::read(workflow);
    let place = workflow.place.key("nodes");
    let (mut nodes, mut used) = (Vec::new(), BTreeSet::new());
    let Object(all) = workflow.get("nodes").unwrap_or(Object("{}"));
    for (id, json) in members(all) {
        let place = place.key(&id);
        check_id(&place, &id, faults);
        if id == END {
            faults.report(
                &place,
                "`end` is the terminal, not a node",
                "give the node another id",
            );
        }
        check_spelling(&place, &id, faults);
        if let Some(fields) = Fields::read(&place, json, faults) {
            let node = node(&fields, id.clone(), &policies, timeouts);
            if node.is_attempted() {
                used.extend(fields.get::<Cow<'_, str>>(POLICY));
            }
            nodes.push(node);
        }
    }
    note_unused(
        workflow,
        policies.keys().filter(|name| !used.contains(*name)),
    );
    if nodes.len() > NODES_MAX {
        let message = format!(
            "the workflow has {} nodes, {NODES_MAX} are allowed",
            nodes.len()
        );
        faults.report(&place, message, "split it into several workflows");
    }
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    nodes
}

/// Signs that an id of a node may not hold: they tell an instance, an attempt or a child
/// of it from the node.
const SIGNS: [char; 7] = ['[', ']', '#', '/', '@', '!', '~'];

fn check_spelling(place: &Place<'_>, id: &str, faults: &Faults) {
    let message = match id.chars().find(|sign| SIGNS.contains(sign)) {
        Some(sign) => format!("the id of a node may not hold `{sign}`"),
        None if id.starts_with('-') => "the id of a node may not begin with `-`".into(),
        None => return,
    };
    faults.report(place, message, "use letters, digits, `_`, `.` and `-`");
}

type Policies<'a> = BTreeMap<Cow<'a, str>, Option<RetryPolicy>>;

fn node<'a>(
    fields: &Fields<'a, '_>,
    id: Cow<'a, str>,
    policies: &Policies<'a>,
    timeouts: &Timeouts,
) -> NodeSource<'a> {
    check_object(fields, &NODE);
    // An id within the node says nothing that its key does not; it may be left out.
    if let Some(inner) = fields.get::<Cow<'_, str>>("id")
        && inner != id
    {
        let message = format!(
            "the node's id {} is not its key {}",
            quoted(&inner),
            quoted(&id)
        );
        fields.fault("id", message, "make them equal, or leave out the `id`");
    }
    let description = fields.get::<Cow<'_, str>>("description");
    let kind_json = fields.raw("kind").unwrap_or("{}");
    let place = fields.place.key("kind");
    let mut kind = fields
        .get::<Object<'_>>("kind")
        .and_then(|Object(json)| Fields::read(&place, json, fields.faults))
        .and_then(|kind| kind::read(&kind, description, timeouts.approval));
    if let Some(kind) = &mut kind {
        of_work(fields, kind);
    }
    note_policy(fields, kind.as_ref());
    let own_timeout = own_timeout(fields, kind.as_ref());
    let timeout = own_timeout.or(timeouts.node);
    let compensation = compensate::read(fields, kind.as_ref(), timeout);
    let names_runs = kind.as_ref().is_some_and(KindSource::is_map) || compensation.is_some();
    if names_runs && id.len() + INSTANCE_SUFFIX_BYTES > ID_BYTES_MAX {
        let most = ID_BYTES_MAX - INSTANCE_SUFFIX_BYTES;
        let whose = match compensation {
            None => "a map",
            Some(_) => "a node with `compensate`",
        };
        let message =
            format!("the id of {whose} has at most {most} bytes, as it is part of longer ones");
        fields
            .faults
            .report(fields.place, message, "give it a shorter name");
    }
    // A child has the time that its node gives it, and no other (rule R14).
    let is_timed = !kind.as_ref().is_some_and(KindSource::starts_children);
    NodeSource {
        id,
        kind,
        kind_json,
        retry: policy(fields, policies),
        timeout: if is_timed { timeout } else { own_timeout },
        compensation,
    }
}

/// The node's own timeout, of each attempt: what is not attempted has none (rule R14).
fn own_timeout(fields: &Fields<'_, '_>, kind: Option<&KindSource<'_>>) -> Option<Millis> {
    if let Some(kind) = kind.filter(|kind| fields.has(TIMEOUT) && !kind.is_attempted()) {
        let message = format!("`{TIMEOUT}` has no effect: no worker does this node");
        let remedy = match kind.waits() {
            true => "leave it out; `timeout_secs` in its `kind` says how long it waits",
            false => "leave it out",
        };
        fields.fault(TIMEOUT, message, remedy);
    }
    span(fields, TIMEOUT)
}

/// Notes a policy of a node that is never attempted: it has no effect. It is accepted, as
/// JamJet's files may have one on each node.
fn note_policy(fields: &Fields<'_, '_>, kind: Option<&KindSource<'_>>) {
    if fields.has(POLICY) && kind.is_some_and(|kind| !kind.is_attempted()) {
        fields.faults.ignore_in_node(&fields.place.key(POLICY));
    }
}

/// Notes the workflow's own policies that nothing which is attempted names.
fn note_unused<'n>(workflow: &Fields<'_, '_>, unused: impl Iterator<Item = &'n Cow<'n, str>>) {
    let place = workflow.place.key("retry_policies");
    let unused: Vec<_> = unused.take(IGNORED_NAMED_MAX + 1).collect();
    if unused.len() > IGNORED_NAMED_MAX {
        return workflow.faults.ignore(&place.key("*"));
    }
    for name in unused {
        workflow.faults.ignore(&place.key(name));
    }
}

/// What the node itself says of its work items. What its kind says already, it may not
/// say once more.
fn of_work(fields: &Fields<'_, '_>, kind: &mut KindSource<'_>) {
    if kind.is_map() && fields.has("run_on") {
        let message = "`run_on` has no effect: a map runs where its edges lead";
        fields.fault("run_on", message, "leave it out");
        return;
    }
    let Some(work) = kind.work_mut() else {
        for name in OF_WORK.into_iter().filter(|name| fields.has(name)) {
            let message = format!("`{name}` has no effect: no worker does this node");
            fields.fault(name, message, "leave it out");
        }
        return;
    };
    // A `task` has a queue that is no kind's, and a `finalizer` says when it runs.
    let said = [
        ("queue", matches!(work.queue, Cow::Owned(_))),
        ("run_on", work.finalizer.is_some()),
    ];
    for (name, is_said) in said {
        if is_said && fields.has(name) {
            let message = format!("`{name}` stands in the node's kind already");
            fields.fault(name, message, "leave it out here");
        }
    }
    if let Some(queue) = fields.get::<Cow<'_, str>>("queue") {
        work.queue = Cow::Owned(queue.into_owned());
    }
    work.priority = fields.get("priority");
    // Another word is a fault by the table; that it runs at the end is clear all the same.
    let run_on = kind::run_on(fields).or(fields.has("run_on").then_some(RunOn::Always));
    work.finalizer = run_on.or(work.finalizer);
}

/// The node's policy: the workflow's own, else a built-in one.
fn policy(node: &Fields<'_, '_>, policies: &Policies<'_>) -> RetryPolicy {
    let Some(name): Option<Cow<'_, str>> = node.get(POLICY) else {
        return retry::unnamed();
    };
    if let Some(own) = policies.get(&name) {
        return own.clone().unwrap_or_else(retry::unnamed);
    }
    retry::built_in(&name).unwrap_or_else(|| {
        let own = policies.keys().map(|name| &**name);
        let names: Vec<&str> = own.chain(retry::BUILT_IN).take(20).collect();
        let message = format!("unknown retry policy {}", quoted(&name));
        let remedy = match resembling(&name, names.iter().copied()) {
            Some(meant) => format!("did you mean {}?", quoted(meant)),
            None => format!(
                "define it in `retry_policies`, or name one of {}",
                names.join(", ")
            ),
        };
        node.fault(POLICY, message, remedy);
        retry::unnamed()
    })
}
