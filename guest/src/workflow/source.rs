//! The JSON form of a workflow, field by field, to nodes and edges as written.
//!
//! This room knows names, types and limits. Whether the names that nodes and
//! edges mention exist is for [`graph`](super::graph) to say.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::budget;
use super::compensate::{self, COMPENSATE};
use super::fault::{Faults, Place, quoted};
use super::fields::{
    BY_TEXT, BY_TEXT_DIGITS, Effect, Fields, List, Object, Span, check_id, is_version,
};
use super::kind::{self, KindSource};
use super::plan::{Budgets, Compensation, END, On, RetryPolicy, RunOn};
use super::retry;
use super::table::{Field, RUN_ON, Type, check, check_object, may, must, no_effect};
use crate::condition::Expression;
use crate::digest::digest_of_text;
use crate::json::{elements, members};
use crate::limits::{ID_BYTES_MAX, INSTANCE_SUFFIX_BYTES, NODES_MAX, PRIORITY_MAX, SPAN_MAX};
use crate::resembling::resembling;
use crate::time::Millis;

/// A workflow as written.
pub(super) struct Source<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    /// None if it is faulty.
    pub(super) start: Option<Cow<'a, str>>,
    /// Sorted by id.
    pub(super) nodes: Vec<NodeSource<'a>>,
    pub(super) edges: Vec<EdgeSource<'a>>,
    pub(super) timeouts: Timeouts,
    pub(super) max_concurrent_nodes: Option<u32>,
    pub(super) max_dispatch_per_tick: Option<u32>,
    pub(super) budgets: Option<Budgets>,
}

/// A node as written.
pub(super) struct NodeSource<'a> {
    pub(super) id: Cow<'a, str>,
    /// None if it is faulty.
    pub(super) kind: Option<KindSource<'a>>,
    /// The JSON of `kind`, verbatim.
    pub(super) kind_json: &'a str,
    pub(super) retry: RetryPolicy,
    pub(super) timeout: Option<Millis>,
    /// What undoes it (rule R27).
    pub(super) compensation: Option<Compensation>,
}

impl NodeSource<'_> {
    /// Whether it runs at the end (rule R16).
    pub(super) fn is_finalizer(&self) -> bool {
        self.kind.as_ref().is_some_and(KindSource::is_finalizer)
    }
}

/// An edge as written, by its place in the list.
pub(super) struct EdgeSource<'a> {
    pub(super) index: usize,
    pub(super) from: Cow<'a, str>,
    pub(super) to: Cow<'a, str>,
    pub(super) condition: Option<Expression>,
    pub(super) on: On,
}

/// The workflow's timeouts. `heartbeat_interval` is JamJet's; here, the host
/// says how often a worker is asked whether it lives.
#[derive(Default)]
pub(super) struct Timeouts {
    pub(super) node: Option<Millis>,
    pub(super) workflow: Option<Millis>,
    pub(super) approval: Option<Millis>,
}

/// The fields of a workflow.
#[rustfmt::skip]
pub(super) const WORKFLOW: [Field; 24] = [
    may("$schema", Type::Text), must("workflow_id", Type::Id), may("version", Type::Text), may("name", Type::Text),
    may("description", Type::Text), may("labels", Type::AnyObject), must("start_node", Type::Text),
    must("nodes", Type::AnyObject), may("edges", Type::AnyList), may("retry_policies", Type::AnyObject),
    may("timeouts", Type::AnyObject), may("limits", Type::AnyObject), may("token_budget", Type::Any),
    may("cost_budget_usd", Type::Any), may("on_budget_exceeded", Type::Any),
    no_effect("state_schema"), no_effect("models"), no_effect("tools"), no_effect("mcp_servers"),
    no_effect("remote_agents"), no_effect("policy"), no_effect("data_policy"), no_effect("continue_as_new"),
    no_effect("strategy_metadata"),
];

/// The fields of a node.
#[rustfmt::skip]
pub(super) const NODE: [Field; 13] = [
    may("id", Type::Text), must("kind", Type::AnyObject), may("retry_policy", Type::Text),
    may(TIMEOUT, Type::Span), may("queue", Type::Id), may("priority", Type::Range(0, PRIORITY_MAX as u64)),
    may("lease_secs", Type::Range(1, SPAN_MAX.0 / 1000)), may("run_on", Type::Word(RUN_ON)), may(COMPENSATE, Type::AnyObject),
    may("description", Type::Text), may("labels", Type::AnyObject),
    no_effect("policy"), no_effect("data_policy"),
];

/// How long an attempt may take: of what is attempted.
pub(super) const TIMEOUT: &str = "node_timeout_secs";

/// Those of them that speak of work items, and so of nodes that have some.
pub(super) const OF_WORK: [&str; 4] = ["queue", "priority", "lease_secs", "run_on"];

/// The fields of an edge.
pub(super) const EDGE: [Field; 4] = [
    must("from", Type::Text),
    must("to", Type::Text),
    may("condition", Type::Expression),
    may("on", Type::Word(ON)),
];

/// What may become of an edge's source.
const ON: &[&str] = &["success", "failure", "always"];

/// The fields of a workflow's timeouts.
pub(super) const TIMEOUTS: [Field; 4] = [
    may("node_timeout", Type::Span),
    may("workflow_timeout", Type::Span),
    may("approval_timeout", Type::Span),
    Field {
        effect: Effect::None,
        ..may("heartbeat_interval", Type::Span)
    },
];

/// The fields of a workflow's limits.
pub(super) const LIMITS: [Field; 2] = [
    may("max_concurrent_nodes", Type::Range(1, u32::MAX as u64)),
    may("max_dispatch_per_tick", Type::Range(1, u32::MAX as u64)),
];

/// Read checked JSON. None, and a fault, if it is not even an object; else
/// whatever can be read, and a fault for whatever cannot.
pub(super) fn read<'a>(text: &'a str, is_in_place: bool, faults: &Faults) -> Option<Source<'a>> {
    let workflow = Fields::read(&Place::Top, text.trim(), faults)?;
    check_workflow(&workflow, is_in_place);
    let limits = object(&workflow, "limits", &LIMITS, |limits| {
        LIMITS.map(|field| limits.get(field.name))
    });
    let [max_concurrent_nodes, max_dispatch_per_tick] = limits.unwrap_or_default();
    let timeouts = timeouts(&workflow);
    Some(Source {
        id: workflow.get("workflow_id").unwrap_or_default(),
        version: match is_in_place {
            true => Cow::Borrowed(""),
            false => version(&workflow, text),
        },
        start: workflow.get("start_node"),
        nodes: nodes(&workflow, &timeouts),
        edges: edges(&workflow),
        timeouts,
        max_concurrent_nodes,
        max_dispatch_per_tick,
        budgets: budget::read(&workflow),
    })
}

/// What is written in place has no name of its own: it is known by the node in which it
/// stands (rule R22).
fn check_workflow(workflow: &Fields<'_, '_>, is_in_place: bool) {
    let is_name = |field: &Field| matches!(field.name, "workflow_id" | "version");
    workflow.check_names(WORKFLOW.iter().map(Field::allowed));
    for field in WORKFLOW
        .iter()
        .filter(|field| !is_in_place || !is_name(field))
    {
        check(workflow, field);
    }
    for field in WORKFLOW
        .iter()
        .filter(|field| is_in_place && is_name(field))
    {
        if workflow.has(field.name) {
            let message = format!(
                "a workflow that is written in place has no `{}`",
                field.name
            );
            workflow.fault(field.name, message, "leave it out: it is known by its node");
        }
    }
}

/// What an object in the workflow says, once it is checked; None if it is left out.
fn object<'a, T>(
    workflow: &Fields<'a, '_>,
    name: &str,
    table: &[Field],
    read: impl FnOnce(&Fields<'a, '_>) -> T,
) -> Option<T> {
    let Object(json) = workflow.get(name)?;
    let place = workflow.place.key(name);
    let fields = Fields::read(&place, json, workflow.faults)?;
    check_object(&fields, table);
    Some(read(&fields))
}

/// The version as written. A workflow without one is known by its text (rule R1): so an
/// edited file needs no new number.
fn version<'a>(workflow: &Fields<'a, '_>, text: &str) -> Cow<'a, str> {
    if !workflow.has("version") {
        let digest = digest_of_text(text);
        return Cow::Owned(format!("{BY_TEXT}{}", &digest[..BY_TEXT_DIGITS]));
    }
    let Some(version): Option<Cow<'a, str>> = workflow.get("version") else {
        return Cow::Borrowed("");
    };
    if !is_version(&version) {
        let message = format!("{} is no version of three numbers", quoted(&version));
        let remedy = "write it like \"1.0.0\", or leave it out";
        workflow.fault("version", message, remedy);
    }
    version
}

fn timeouts(workflow: &Fields<'_, '_>) -> Timeouts {
    let timeouts = object(workflow, "timeouts", &TIMEOUTS, |fields| Timeouts {
        node: span(fields, "node_timeout"),
        workflow: span(fields, "workflow_timeout"),
        approval: span(fields, "approval_timeout"),
    });
    timeouts.unwrap_or_default()
}

fn span(fields: &Fields<'_, '_>, name: &str) -> Option<Millis> {
    fields.get(name).map(|Span(span)| span)
}

fn nodes<'a>(workflow: &Fields<'a, '_>, timeouts: &Timeouts) -> Vec<NodeSource<'a>> {
    let faults = workflow.faults;
    let policies = retry::read(workflow);
    let place = workflow.place.key("nodes");
    let mut nodes = Vec::new();
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
            nodes.push(node(&fields, id.clone(), &policies, timeouts));
        }
    }
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
    let Some(name): Option<Cow<'_, str>> = node.get("retry_policy") else {
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
        node.fault("retry_policy", message, remedy);
        retry::unnamed()
    })
}

fn edges<'a>(workflow: &Fields<'a, '_>) -> Vec<EdgeSource<'a>> {
    let place = workflow.place.key("edges");
    let edge = |(index, json)| {
        let place = place.index(index);
        let fields = Fields::read(&place, json, workflow.faults)?;
        check_object(&fields, &EDGE);
        let (from, to) = (fields.get("from"), fields.get("to"));
        let on = on(&fields);
        let condition = match on {
            On::Success => fields.expression("condition"),
            On::Failure | On::Always => fields.expression_on_failure("condition"),
        };
        Some(EdgeSource {
            index,
            from: from?,
            to: to?,
            condition,
            on,
        })
    };
    let List(all) = workflow.get("edges").unwrap_or(List("[]"));
    elements(all).enumerate().filter_map(edge).collect()
}

/// What has to become of an edge's source (rule R26).
fn on(edge: &Fields<'_, '_>) -> On {
    match edge.get::<Cow<'_, str>>("on").as_deref() {
        Some("failure") => On::Failure,
        Some("always") => On::Always,
        // Another word is a fault by the table.
        _ => On::Success,
    }
}
