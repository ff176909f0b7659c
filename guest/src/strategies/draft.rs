//! A workflow as it is drawn: nodes with wishes, which a shape makes a graph of.
//!
//! Every draft is a valid workflow: edges lead from earlier nodes to later
//! ones, so there is no cycle, and every node but the first has one, so all are
//! reached. So a draft that shrinks stays valid.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::{SizeRange, vec as list};
use proptest::prelude::*;
use serde_json::Value;

use super::child::Bodies;
use super::kind::{
    Neighbours, NodeKind, condition, failure_condition, kinds, line, own_queue, undo,
};
use super::setting::{Policy, Settings, policies, settings};
use super::shape::Shape;
use super::workflow::Workflow;

/// One node.
#[derive(Clone, Debug)]
struct Draft {
    kind: NodeKind,
    /// Which predecessors, where the shape leaves a choice.
    picks: Vec<u8>,
    /// On its incoming edges, in turn; none: no conditions.
    conditions: Vec<Option<&'static str>>,
    /// On what its outgoing edges are, in turn; none: a success.
    handlers: Vec<Option<Handler>>,
    effort: Effort,
    /// Where its work waits, how urgent it is and how long claims hold, in seconds; where
    /// a worker does it.
    queue: Option<&'static str>,
    priority: Option<u8>,
    lease: Option<u8>,
    /// What undoes it, in the notation.
    undo: Option<&'static str>,
}

/// An edge that is judged on a failure.
#[derive(Clone, Copy, Debug)]
struct Handler {
    on: &'static str,
    condition: Option<&'static str>,
    /// It leads to the end, next to the edge that it would be.
    to_end: bool,
}

/// How often a node is tried, and for how long.
#[derive(Clone, Debug)]
struct Effort {
    retry: Option<Policy>,
    /// Seconds.
    timeout: Option<u8>,
}

/// One finalizer.
#[derive(Clone, Debug)]
struct Finalizer {
    run_on: &'static str,
    /// Its kind, where it is not spelt as one of kind `finalizer`.
    kind: Option<&'static str>,
    /// It comes after the one before it.
    follows: bool,
    /// An edge leads to it from the last node; it changes nothing (rule R16).
    is_led_to: bool,
    effort: Effort,
}

/// How deep workflows are written in place within each other.
const DEPTH: u8 = 2;

/// Valid workflows of every shape, of 1 to some hundred nodes, small ones most
/// often.
pub fn workflows() -> impl Strategy<Value = Workflow> {
    // Each range begins at 1, so that each shrinks as far as it can.
    let shape = || prop::sample::select(&Shape::ALL[..]);
    prop_oneof![
        50 => drafted(shape(), 1..=8, DEPTH),
        35 => drafted(shape(), 1..=25, DEPTH),
        12 => drafted(shape(), 1..=80, DEPTH),
        3 => drafted(shape(), 1..=300, DEPTH),
    ]
}

/// Valid workflows of one shape and of so many nodes; finalizers come on top.
/// A size of 0 counts as 1.
pub fn workflows_of(shape: Shape, sizes: impl Into<SizeRange>) -> impl Strategy<Value = Workflow> {
    drafted(Just(shape), sizes, DEPTH)
}

/// Workflows written in place of others: small ones, which hold such themselves up to this
/// depth.
fn in_place(depth: u8) -> Bodies {
    let depth = depth.checked_sub(1)?;
    let shape = prop::sample::select(&Shape::ALL[..]);
    let bodies = drafted(shape, 1..=3, depth).prop_map(|workflow| {
        let mut body: Value = serde_json::from_str(workflow.text()).expect("it is JSON");
        let fields = body.as_object_mut().expect("a workflow is an object");
        fields.remove("workflow_id");
        fields.remove("version");
        body
    });
    Some(bodies.boxed())
}

fn drafted(
    shape: impl Strategy<Value = Shape> + 'static,
    sizes: impl Into<SizeRange>,
    depth: u8,
) -> BoxedStrategy<Workflow> {
    let parts = (
        shape,
        list(drafts(&in_place(depth)).boxed(), sizes),
        list(finalizers(), 0..3),
        settings().boxed(),
    );
    // Each part is boxed: what is drawn stands on the stack, within what it is a part of.
    let drafted = parts.prop_map(|(shape, mut nodes, finalizers, settings)| {
        if nodes.is_empty() {
            nodes.push(Draft::plain());
        }
        settle_kinds(shape, &mut nodes);
        let graph = Drawing {
            shape,
            nodes: &nodes,
            finalizers: &finalizers,
        };
        let table = graph.table(&settings);
        Workflow::from_table(&table)
            .unwrap_or_else(|fault| panic!("every draft is a valid workflow: {fault}\n{table}"))
    });
    drafted.boxed()
}

fn drafts(bodies: &Bodies) -> impl Strategy<Value = Draft> + use<> {
    let conditions = prop_oneof![
        3 => Just(Vec::new()),
        1 => list(prop::option::of(condition()), 1..4),
    ];
    let of_work = (
        prop::option::weighted(0.1, own_queue()),
        prop::option::weighted(0.1, 0..=9_u8),
        prop::option::weighted(0.05, 1..=30_u8),
        prop::option::weighted(0.25, undo()),
    );
    let handlers = prop_oneof![
        4 => Just(Vec::new()),
        1 => list(prop::option::of(handlers()), 1..4),
    ];
    let parts = (
        kinds(bodies).boxed(),
        list(any::<u8>(), 0..4),
        conditions,
        handlers,
        efforts(),
        of_work,
    );
    parts.prop_map(
        |(kind, picks, conditions, handlers, effort, (queue, priority, lease, undo))| Draft {
            kind,
            picks,
            conditions,
            handlers,
            effort,
            queue,
            priority,
            lease,
            undo,
        },
    )
}

fn handlers() -> impl Strategy<Value = Handler> {
    let on = prop::sample::select(&["failure", "always"][..]);
    let condition = prop::option::of(failure_condition());
    (on, condition, prop::bool::weighted(0.2)).prop_map(|(on, condition, to_end)| Handler {
        on,
        condition,
        to_end,
    })
}

fn efforts() -> impl Strategy<Value = Effort> {
    let parts = (
        prop::option::weighted(0.4, policies()),
        prop::option::weighted(0.2, 1..=5_u8),
    );
    parts.prop_map(|(retry, timeout)| Effort { retry, timeout })
}

fn finalizers() -> impl Strategy<Value = Finalizer> {
    let run_on = prop::sample::select(&["success", "failure", "always"][..]);
    let kind = prop::sample::select(&["http", "condition"][..]);
    let kind = prop::option::weighted(0.4, kind);
    (run_on, kind, any::<bool>(), any::<bool>(), efforts()).prop_map(
        |(run_on, kind, follows, is_led_to, effort)| Finalizer {
            run_on,
            kind,
            follows,
            is_led_to,
            effort,
        },
    )
}

impl Draft {
    fn plain() -> Self {
        let effort = Effort {
            retry: None,
            timeout: None,
        };
        Self {
            kind: NodeKind::Work,
            picks: Vec::new(),
            conditions: Vec::new(),
            handlers: Vec::new(),
            effort,
            queue: None,
            priority: None,
            lease: None,
            undo: None,
        }
    }

    /// What stands behind its kind, in the notation.
    fn options(&self) -> Vec<String> {
        let mut options = self.effort.options(self.kind.is_attempted());
        if self.kind.may_name_a_queue() {
            options.extend(self.queue.map(|queue| format!("queue={queue}")));
            options.extend(self.priority.map(|priority| format!("priority={priority}")));
            options.extend(self.lease.map(|seconds| format!("lease={seconds}")));
        }
        if self.kind.may_be_undone() {
            options.extend(self.undo.map(|undo| format!("undo={undo}")));
        }
        options
    }

    /// The handler that the edge to a node is, if it is one. A node whose policy asks
    /// for a person never fails for good.
    fn handler_to(&self, to: usize) -> Option<Handler> {
        let pauses = self.effort.retry.is_some_and(Policy::pauses);
        let place = to % self.handlers.len().max(1);
        let handler = self.handlers.get(place).copied().flatten();
        handler.filter(|_| self.kind.can_fail() && !pauses)
    }
}

impl Handler {
    /// The edge, and perhaps one to the end in its place, next to the ordinary one.
    fn edge(self, arrow: &str, from: String) -> String {
        let condition = self.condition.map(|condition| format!(" if {condition}"));
        let condition = condition.unwrap_or_default();
        match self.to_end {
            true => format!("{arrow}, {from} -> end on {}{condition}", self.on),
            false => format!("{arrow} on {}{condition}", self.on),
        }
    }
}

impl Effort {
    fn options(&self, is_attempted: bool) -> Vec<String> {
        let retry = self.retry.map(|policy| format!("retry={}", policy.name));
        let timeout = self.timeout.filter(|_| is_attempted);
        let timeout = timeout.map(|seconds| format!("timeout={seconds}"));
        retry.into_iter().chain(timeout).collect()
    }
}

/// From where each node is reached, and where it leads.
fn ends(shape: Shape, nodes: &[Draft]) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let sources: Vec<Vec<usize>> = (0..nodes.len())
        .map(|to| shape.predecessors(to, nodes.len(), &nodes[to].picks))
        .collect();
    let mut targets = vec![Vec::new(); sources.len()];
    for (to, sources) in sources.iter().enumerate() {
        sources.iter().for_each(|from| targets[*from].push(to));
    }
    (sources, targets)
}

/// Ordinary work in the place of kinds that cannot stand where they were drawn: nothing
/// follows a `terminate`, and no execution begins with one.
fn settle_kinds(shape: Shape, nodes: &mut [Draft]) {
    let (sources, targets) = ends(shape, nodes);
    for (place, node) in nodes.iter_mut().enumerate() {
        let ends = node.kind.ends() && !targets[place].is_empty();
        let lacks_sources = node.kind.needs_sources() && sources[place].is_empty();
        if ends || lacks_sources {
            node.kind = NodeKind::Work;
        }
    }
}

/// Drafts on their way to a table.
struct Drawing<'a> {
    shape: Shape,
    nodes: &'a [Draft],
    finalizers: &'a [Finalizer],
}

impl Drawing<'_> {
    fn table(&self, settings: &Settings) -> String {
        let (sources, targets) = ends(self.shape, self.nodes);
        let mut lines: Vec<String> = (0..sources.len())
            .filter_map(|from| self.edges(from, &targets[from]))
            .collect();
        if lines.is_empty() {
            lines.push(format!("{} -> end", name(0)));
        }
        lines.extend(self.policies());
        lines.extend(settings.lines());
        lines.extend((0..sources.len()).filter_map(|node| {
            let near = Neighbours {
                sources: &names(&sources[node]),
                targets: &names(&targets[node]),
            };
            let draft = &self.nodes[node];
            line(&name(node), draft.kind.said(&near), &draft.options())
        }));
        lines.extend(self.finalizer_lines());
        lines.join("\n")
    }

    /// `a -> b, a -> c if CONDITION`: the edges that a kind does not imply.
    /// Those of the first node are always written: who is named first starts.
    fn edges(&self, from: usize, targets: &[usize]) -> Option<String> {
        let source = &self.nodes[from];
        let is_implied = |to: &usize| {
            from > 0
                && (source.kind.leads() || self.nodes[*to].kind.gathers())
                && source.handler_to(*to).is_none()
        };
        let edge = |to: &usize| {
            let arrow = format!("{} -> {}", name(from), name(*to));
            if let Some(handler) = source.handler_to(*to) {
                return handler.edge(&arrow, name(from));
            }
            let conditions = &self.nodes[*to].conditions;
            let condition = conditions.get(from % conditions.len().max(1)).copied();
            match condition.flatten().filter(|_| !source.kind.decides()) {
                Some(condition) => format!("{arrow} if {condition}"),
                None => arrow,
            }
        };
        let edges: Vec<String> = targets
            .iter()
            .filter(|to| !is_implied(to))
            .map(edge)
            .collect();
        (!edges.is_empty()).then(|| edges.join(", "))
    }

    /// The lines of the policies that are named, each once.
    fn policies(&self) -> Vec<String> {
        let of_nodes = self.nodes.iter().map(|node| &node.effort);
        let efforts = of_nodes.chain(self.finalizers.iter().map(|finalizer| &finalizer.effort));
        let named: BTreeSet<Policy> = efforts.filter_map(|effort| effort.retry).collect();
        named.into_iter().filter_map(Policy::line).collect()
    }

    fn finalizer_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (place, finalizer) in self.finalizers.iter().enumerate() {
            let id = finalizer_name(place);
            if finalizer.follows && place > 0 {
                lines.push(format!("{} -> {id}", finalizer_name(place - 1)));
            }
            let last = &self.nodes[self.nodes.len() - 1];
            if finalizer.is_led_to && !last.kind.ends() {
                lines.push(format!("{} -> {id}", name(self.nodes.len() - 1)));
            }
            let run_on = finalizer.run_on;
            let line = match finalizer.kind {
                Some(kind) => format!("{id}: {kind} run_on={run_on}"),
                None => format!("{id}: finalizer {run_on}"),
            };
            let mut words: Vec<String> = [line].into();
            words.extend(finalizer.effort.options(true));
            lines.push(words.join(" "));
        }
        lines
    }
}

/// `a` to `z`, then `a1` to `z1` and so on: an order by name that is another
/// one than that of the graph.
fn name(node: usize) -> String {
    let letter = char::from(b"abcdefghijklmnopqrstuvwxyz"[node % 26]);
    match node / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

fn names(nodes: &[usize]) -> Vec<String> {
    nodes.iter().map(|node| name(*node)).collect()
}

fn finalizer_name(place: usize) -> String {
    format!("fin{place}")
}
