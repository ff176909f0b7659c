//! The JSON form of a workflow, field by field, to nodes and edges as written.
//!
//! This room knows names, types and limits. Whether the names that nodes and
//! edges mention exist is for [`graph`](super::graph) to say.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::fault::{Faults, Place, quoted};
use super::fields::{AllowedField, Fields, Object, check_id, ignored, known};
use super::kind::{self, Does, KindSource};
use super::plan::{END, Kind, RetryPolicy};
use super::retry;
use crate::condition::Expression;
use crate::limits::{ID_BYTES_MAX, INSTANCE_SUFFIX_BYTES, NODES_MAX};
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
}

/// An edge as written, by its place in the list.
pub(super) struct EdgeSource<'a> {
    pub(super) index: usize,
    pub(super) from: Cow<'a, str>,
    pub(super) to: Cow<'a, str>,
    pub(super) condition: Option<Expression>,
}

/// The workflow's timeouts. `heartbeat_interval` is JamJet's; here, the host
/// says how often a worker is asked whether it lives.
#[derive(Default)]
pub(super) struct Timeouts {
    pub(super) node: Option<Millis>,
    pub(super) workflow: Option<Millis>,
    pub(super) approval: Option<Millis>,
}

#[rustfmt::skip]
const WORKFLOW_FIELDS: [AllowedField<'static>; 23] = [
    known("workflow_id"), known("version"), known("name"), known("description"), known("labels"),
    known("start_node"), known("nodes"), known("edges"), known("retry_policies"), known("timeouts"), known("limits"),
    ignored("state_schema"), ignored("models"), ignored("tools"), ignored("mcp_servers"), ignored("remote_agents"),
    ignored("policy"), ignored("data_policy"), ignored("token_budget"), ignored("cost_budget_usd"),
    ignored("on_budget_exceeded"), ignored("continue_as_new"), ignored("strategy_metadata"),
];
#[rustfmt::skip]
const NODE_FIELDS: [AllowedField<'static>; 8] = [
    known("id"), known("kind"), known("retry_policy"), known("node_timeout_secs"), known("description"), known("labels"),
    ignored("policy"), ignored("data_policy"),
];
const EDGE_FIELDS: [AllowedField<'static>; 3] = [known("from"), known("to"), known("condition")];
const TIMEOUT_FIELDS: [AllowedField<'static>; 4] = [
    known("node_timeout"),
    known("workflow_timeout"),
    known("approval_timeout"),
    ignored("heartbeat_interval"),
];
const LIMIT_FIELDS: [&str; 2] = ["max_concurrent_nodes", "max_dispatch_per_tick"];

/// Read checked JSON. None, and a fault, if it is not even an object; else
/// whatever can be read, and a fault for whatever cannot.
pub(super) fn read<'a>(text: &'a str, faults: &Faults) -> Option<Source<'a>> {
    let workflow = Fields::read(&Place::Top, text.trim(), faults)?;
    workflow.check_names(WORKFLOW_FIELDS);
    let id: Option<Cow<'a, str>> = workflow.required("workflow_id");
    if let Some(id) = &id {
        check_id(&Place::Top.key("workflow_id"), id, faults);
    }
    let (max_concurrent_nodes, max_dispatch_per_tick) = limits(&workflow);
    let timeouts = timeouts(&workflow);
    let nodes = nodes(&workflow, &timeouts);
    Some(Source {
        id: id.unwrap_or_default(),
        version: version(&workflow),
        start: workflow.required("start_node"),
        nodes,
        edges: edges(&workflow),
        timeouts,
        max_concurrent_nodes,
        max_dispatch_per_tick,
    })
}

fn version<'a>(workflow: &Fields<'a, '_>) -> Cow<'a, str> {
    let Some(version): Option<Cow<'a, str>> = workflow.required("version") else {
        return Cow::Borrowed("");
    };
    let is_number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok();
    if version.split('.').count() != 3 || !version.split('.').all(is_number) {
        let message = format!("{} is no version of three numbers", quoted(&version));
        workflow.fault("version", message, "write it like \"1.0.0\"");
    }
    version
}

fn limits(workflow: &Fields<'_, '_>) -> (Option<u32>, Option<u32>) {
    let place = workflow.place.key("limits");
    let json = workflow.raw("limits").filter(|json| *json != "null");
    let Some(fields) = json.and_then(|json| Fields::read(&place, json, workflow.faults)) else {
        return (None, None);
    };
    fields.check_names(LIMIT_FIELDS.map(known));
    let [concurrent, dispatch] = LIMIT_FIELDS.map(|name| {
        let limit: Option<u32> = fields.optional(name);
        if limit == Some(0) {
            fields.fault(
                name,
                "with a limit of 0 nothing would ever run",
                "write at least 1, or leave it out",
            );
        }
        limit
    });
    (concurrent, dispatch)
}

fn timeouts(workflow: &Fields<'_, '_>) -> Timeouts {
    let place = workflow.place.key("timeouts");
    let json = workflow.raw("timeouts").filter(|json| *json != "null");
    let Some(fields) = json.and_then(|json| Fields::read(&place, json, workflow.faults)) else {
        return Timeouts::default();
    };
    fields.check_names(TIMEOUT_FIELDS);
    let [node, workflow, approval, _heartbeat] =
        TIMEOUT_FIELDS.map(|known| fields.span(known.name));
    Timeouts {
        node,
        workflow,
        approval,
    }
}

fn nodes<'a>(workflow: &Fields<'a, '_>, timeouts: &Timeouts) -> Vec<NodeSource<'a>> {
    let faults = workflow.faults;
    let policies = retry::read(workflow);
    let place = workflow.place.key("nodes");
    if workflow.raw("nodes").is_none() {
        faults.report(
            workflow.place,
            "the field `nodes` is missing",
            "add `nodes`, an object of nodes by id",
        );
    }
    let mut nodes = Vec::new();
    for (id, json) in workflow.map("nodes") {
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
    fields.check_names(NODE_FIELDS);
    // An id within the node says nothing that its key does not; it may be left out.
    if let Some(inner) = fields.optional::<Cow<'_, str>>("id")
        && inner != id
    {
        let message = format!(
            "the node's id {} is not its key {}",
            quoted(&inner),
            quoted(&id)
        );
        fields.fault("id", message, "make them equal, or leave out the `id`");
    }
    let description = fields.optional::<Cow<'_, str>>("description");
    let kind_json = fields.raw("kind").unwrap_or("{}");
    let place = fields.place.key("kind");
    let kind = fields
        .required::<Object<'_>>("kind")
        .and_then(|Object(json)| Fields::read(&place, json, fields.faults))
        .and_then(|kind| kind::read(&kind, description, timeouts.approval));
    let is_map = matches!(
        &kind,
        Some(KindSource {
            does: Does::Plainly(Kind::Map(_)),
            ..
        })
    );
    if is_map && id.len() + INSTANCE_SUFFIX_BYTES > ID_BYTES_MAX {
        let most = ID_BYTES_MAX - INSTANCE_SUFFIX_BYTES;
        let message =
            format!("the id of a map has at most {most} bytes, as it is part of longer ones");
        fields
            .faults
            .report(fields.place, message, "give it a shorter name");
    }
    NodeSource {
        id,
        kind,
        kind_json,
        retry: policy(fields, policies),
        timeout: fields.span("node_timeout_secs").or(timeouts.node),
    }
}

/// The node's policy: the workflow's own, else a built-in one.
fn policy(node: &Fields<'_, '_>, policies: &Policies<'_>) -> RetryPolicy {
    let Some(name): Option<Cow<'_, str>> = node.optional("retry_policy") else {
        return retry::unnamed();
    };
    if let Some(own) = policies.get(&name) {
        return own.clone().unwrap_or_else(retry::unnamed);
    }
    retry::built_in(&name).unwrap_or_else(|| {
        let own = policies.keys().map(|name| &**name);
        let names: Vec<&str> = own.chain(retry::BUILT_IN).take(20).collect();
        let message = format!("unknown retry policy {}", quoted(&name));
        node.fault(
            "retry_policy",
            message,
            format!(
                "define it in `retry_policies`, or name one of {}",
                names.join(", ")
            ),
        );
        retry::unnamed()
    })
}

fn edges<'a>(workflow: &Fields<'a, '_>) -> Vec<EdgeSource<'a>> {
    let place = workflow.place.key("edges");
    let edge = |(index, json)| {
        let place = place.index(index);
        let fields = Fields::read(&place, json, workflow.faults)?;
        fields.check_names(EDGE_FIELDS);
        let (from, to) = (fields.required("from"), fields.required("to"));
        let condition = fields.expression("condition");
        Some(EdgeSource {
            index,
            from: from?,
            to: to?,
            condition,
        })
    };
    workflow.list("edges").filter_map(edge).collect()
}
