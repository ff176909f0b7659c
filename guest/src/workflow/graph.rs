//! Nodes and edges as written, to links between nodes: every name resolved, edges
//! inside kinds included; and what shape they give.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::cycle;
use super::failure;
use super::fault::{Faults, Place, quoted};
use super::kind::{Does, How, KindSource, TargetSource};
use super::link::{Link, Origin, Rule, merge};
use super::order::{self, Ranking};
use super::plan::{END, Join, Kind, On};
use super::source::{EdgeSource, NodeSource, Source};
use crate::condition::Expression;
use crate::limits::EDGES_MAX;
use crate::resembling::resembling;

/// The links, and the order that they give.
pub(super) struct Graph {
    /// Sorted by (from, to).
    pub(super) links: Vec<Link>,
    pub(super) ranking: Ranking,
    /// The edges to `"end"`, in the order in which they are written.
    pub(super) ends: Vec<ToEnd>,
    /// The ids of nodes that no path leads to, of a kind that may stand there
    /// all the same; sorted.
    pub(super) unreachable: Vec<String>,
}

/// An edge to `"end"`, from a node by its place in [`Source::nodes`].
pub(super) struct ToEnd {
    pub(super) from: usize,
    pub(super) on: On,
    pub(super) condition: Option<Expression>,
}

/// Resolve every name and check the graph's shape (rule R1). Where something
/// is faulty, the rest is checked without it.
pub(super) fn check(source: &Source<'_>, edges: Vec<EdgeSource<'_>>, faults: &Faults) -> Graph {
    let mut ends = Ends {
        nodes: &source.nodes,
        faults,
        links: Vec::new(),
        to_end: Vec::new(),
        handled: BTreeSet::new(),
    };
    for edge in edges {
        ends.add_edge(edge);
    }
    for (at, node) in source.nodes.iter().enumerate() {
        for target in node.kind.iter().flat_map(|kind| &kind.targets) {
            ends.add_target(at, target);
        }
    }
    let (mut links, ends) = (ends.links, ends.to_end);
    if links.len() > EDGES_MAX {
        let message = format!(
            "the workflow has {} edges, {EDGES_MAX} are allowed",
            links.len()
        );
        faults.report(
            &Place::Top.key("edges"),
            message,
            "split it into several workflows",
        );
    }
    merge(&mut links);
    check_counts(&source.nodes, &links, faults);

    let pairs: Vec<(usize, usize)> = links.iter().map(|link| (link.from, link.to)).collect();
    let ranking = order::rank(source.nodes.len(), &pairs);
    report_cycles(
        source,
        &links,
        &cycle::cycles(&ranking.unordered, source.nodes.len(), &pairs),
        faults,
    );
    let mut unreachable = Vec::new();
    if let Some((id, start)) = start(source, faults) {
        let reachable = order::reachable(source.nodes.len(), &pairs, start);
        unreachable = unused_limits(source, &reachable);
        report_unreachable(source, id, &reachable, faults);
    }
    Graph {
        links,
        ranking,
        ends,
        unreachable,
    }
}

/// A join that waits for more live edges than lead to it would never be ready (rule R24).
fn check_counts(nodes: &[NodeSource<'_>], links: &[Link], faults: &Faults) {
    for (at, node) in nodes.iter().enumerate() {
        let does = node.kind.as_ref().map(|kind| &kind.does);
        let Some(Does::Plainly(Kind::Join(Join::Count { edges, .. }))) = does else {
            continue;
        };
        let incoming = links.iter().filter(|link| link.to == at).count();
        if incoming < *edges as usize {
            let message = format!(
                "{} waits for {edges} live edges, and {incoming} lead to it",
                quoted(&node.id)
            );
            let nodes = Place::Top.key("nodes");
            let (node, kind) = (nodes.key(&node.id), "kind");
            let place = node.key(kind);
            let remedy = "wait for fewer, or add edges that lead to it";
            faults.report(&place.key("merge_strategy"), message, remedy);
        }
    }
}

/// The id and place of the start node; None, and a fault, if there is none.
fn start<'s>(source: &'s Source<'_>, faults: &Faults) -> Option<(&'s str, usize)> {
    let place = Place::Top.key("start_node");
    let id = source.start.as_deref()?;
    let Some(start) = find(&source.nodes, id) else {
        let remedy = resembling_node(&source.nodes, id);
        faults.report(
            &place,
            format!("there is no node {}", quoted(id)),
            remedy.unwrap_or_else(|| "name one of `nodes`".into()),
        );
        return None;
    };
    if source.nodes[start].is_finalizer() {
        let message = format!("{} is a finalizer, which runs at the end", quoted(id));
        faults.report(&place, message, "begin with another node");
        return None;
    }
    Some((id, start))
}

fn is_limit(node: &NodeSource<'_>) -> bool {
    let does = node.kind.as_ref().map(|kind| &kind.does);
    matches!(does, Some(Does::Plainly(Kind::LimitExceeded { .. })))
}

/// Collects links, and reports ends that are none.
struct Ends<'s, 'a> {
    nodes: &'s [NodeSource<'a>],
    faults: &'s Faults,
    links: Vec<Link>,
    to_end: Vec<ToEnd>,
    /// Nodes with edges that handle their failure.
    handled: BTreeSet<usize>,
}

impl Ends<'_, '_> {
    fn add_edge(&mut self, edge: EdgeSource<'_>) {
        let edges = Place::Top.key("edges");
        let place = edges.index(edge.index);
        let from = self.source(&edge.from, || place.key("from").pointer());
        let to = self.target(&edge.to, || place.key("to").pointer());
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        if to.is_none() {
            self.check_ends(from, &Origin::Edge(edge.index));
        }
        if edge.on.judges_failure() {
            failure::check(self.nodes, from, to, &place, self.faults);
            if self.handled.insert(from) {
                failure::check_policy(&self.nodes[from], self.faults);
            }
        }
        let EdgeSource { condition, on, .. } = edge;
        if condition.is_some() {
            failure::check_condition(self.nodes, to, &place, self.faults);
        }
        match to {
            Some(to) => self.add(
                from,
                to,
                Rule::Ordinary(condition),
                on,
                Origin::Edge(edge.index),
            ),
            None => self.to_end.push(ToEnd {
                from,
                on,
                condition,
            }),
        }
    }

    fn add_target(&mut self, node: usize, target: &TargetSource<'_>) {
        let pointer = || target.pointer.clone();
        let (from, to, rule) = match target.how {
            How::Leads => (Some(node), self.target(&target.id, pointer), Rule::Implied),
            How::MayChoose => (Some(node), self.target(&target.id, pointer), Rule::Chosen),
            How::WaitsFor => (
                self.source(&target.id, pointer),
                Some(Some(node)),
                Rule::Implied,
            ),
        };
        match (from, to) {
            (Some(from), Some(Some(to))) => {
                self.add(from, to, rule, On::Success, Origin::Kind(pointer()));
            }
            (Some(from), Some(None)) => self.to_end.push(ToEnd {
                from,
                on: On::Success,
                condition: None,
            }),
            (None, _) | (_, None) => {}
        }
    }

    /// Nothing follows what ends the execution (rule R24).
    fn check_ends(&self, from: usize, origin: &Origin) {
        let node = &self.nodes[from];
        let does = node.kind.as_ref().map(|kind| &kind.does);
        if let Some(Does::Plainly(Kind::Terminate(_))) = does {
            let message = format!(
                "{} ends the execution: nothing follows it",
                quoted(&node.id)
            );
            self.faults
                .report_at(origin.pointer(), message, "remove this edge");
        }
    }

    fn add(&mut self, from: usize, to: usize, rule: Rule, on: On, origin: Origin) {
        self.check_ends(from, &origin);
        let rule = match &self.nodes[from].kind {
            // A branch decides: no edge of such a node is live by itself.
            Some(KindSource {
                does: Does::Condition(_),
                ..
            }) => Rule::Chosen,
            _ => rule,
        };
        match (
            self.nodes[from].is_finalizer(),
            self.nodes[to].is_finalizer(),
        ) {
            (true, false) => {
                let message = format!(
                    "{} is a finalizer and runs at the end, so {} cannot follow it",
                    quoted(&self.nodes[from].id),
                    quoted(&self.nodes[to].id)
                );
                let remedy = "remove this edge; from a finalizer, edges may lead to finalizers and to \"end\"";
                self.faults.report_at(origin.pointer(), message, remedy);
            }
            // Finalizers run at the end, whatever leads to them (rule R16).
            (false, true) => {
                if let Origin::Kind(pointer) = origin
                    && matches!(rule, Rule::Chosen)
                {
                    let message = format!(
                        "{} is a finalizer and runs at the end, so it cannot be chosen",
                        quoted(&self.nodes[to].id)
                    );
                    let remedy = "choose \"end\" instead; the finalizer runs then by itself";
                    self.faults.report_at(pointer, message, remedy);
                }
            }
            (true, true) | (false, false) => self.links.push(Link {
                from,
                to,
                rule,
                on,
                origin,
            }),
        }
    }

    fn source(&self, id: &str, pointer: impl FnOnce() -> String) -> Option<usize> {
        let found = find(self.nodes, id);
        if found.is_none() {
            let message = match id {
                END => "nothing can follow \"end\"".into(),
                _ => format!("there is no node {}", quoted(id)),
            };
            let remedy = self.remedy(id, "name one of `nodes`");
            self.faults.report_at(pointer(), message, remedy);
        }
        found
    }

    /// The node that was perhaps meant, else what else to do.
    fn remedy(&self, id: &str, else_do: &str) -> String {
        resembling_node(self.nodes, id).unwrap_or_else(|| else_do.into())
    }

    /// Some(None) is `"end"`.
    fn target(&self, id: &str, pointer: impl FnOnce() -> String) -> Option<Option<usize>> {
        let found = find(self.nodes, id);
        if found.is_none() && id != END {
            let message = format!("there is no node {}", quoted(id));
            let remedy = self.remedy(id, "name one of `nodes`, or \"end\"");
            self.faults.report_at(pointer(), message, remedy);
        }
        (found.is_some() || id == END).then_some(found)
    }
}

/// The question whether a node was meant whose name looks like this one, if there is any.
fn resembling_node(nodes: &[NodeSource<'_>], id: &str) -> Option<String> {
    let meant = resembling(id, nodes.iter().map(|node| &*node.id))?;
    Some(format!("did you mean {}?", quoted(meant)))
}

fn find(nodes: &[NodeSource<'_>], id: &str) -> Option<usize> {
    nodes.binary_search_by(|node| (*node.id).cmp(id)).ok()
}

fn report_cycles(source: &Source<'_>, links: &[Link], cycles: &[Vec<usize>], faults: &Faults) {
    for cycle in cycles {
        let (first, last) = (cycle[0], cycle[cycle.len() - 1]);
        let closing = links.partition_point(|link| (link.from, link.to) < (last, first));
        faults.report_at(
            links[closing].origin.pointer(),
            format!("the nodes go round in a cycle: {}", printed(source, cycle)),
            "remove one of these edges; a node that may fail is repeated by its retry policy, and several by a `subgraph` with `repeat`",
        );
    }
}

/// `a -> b -> a`; the middle of a long way round is left out.
fn printed(source: &Source<'_>, cycle: &[usize]) -> String {
    const NAMES_MAX: usize = 20;
    let mut text = String::new();
    let left_out = cycle.len().saturating_sub(NAMES_MAX);
    for (place, node) in cycle.iter().enumerate() {
        if left_out > 0 && place == NAMES_MAX / 2 {
            text.push_str(&format!("({left_out} more) -> "));
        }
        if !(NAMES_MAX / 2..NAMES_MAX / 2 + left_out).contains(&place) {
            text.push_str(&source.nodes[*node].id);
            text.push_str(" -> ");
        }
    }
    text.push_str(&source.nodes[cycle[0]].id);
    text
}

/// JamJet's compiler writes a `limit_exceeded` node whether anything leads to
/// it or not. It is no mistake, and is skipped when the execution starts (rule R9).
fn unused_limits(source: &Source<'_>, reachable: &[bool]) -> Vec<String> {
    let nodes = source.nodes.iter().zip(reachable);
    let unused = nodes.filter(|(node, reachable)| !**reachable && is_limit(node));
    unused
        .map(|(node, _)| node.id.clone().into_owned())
        .collect()
}

fn report_unreachable(source: &Source<'_>, start: &str, reachable: &[bool], faults: &Faults) {
    let place = Place::Top.key("nodes");
    for (node, reachable) in source.nodes.iter().zip(reachable) {
        // A finalizer needs no edge; and what has no kind could be one.
        if !reachable && node.kind.is_some() && !node.is_finalizer() && !is_limit(node) {
            let message = format!(
                "{} cannot be reached from {}",
                quoted(&node.id),
                quoted(start)
            );
            faults.report(
                &place.key(&node.id),
                message,
                "add an edge that leads to it, or remove it",
            );
        }
    }
}
