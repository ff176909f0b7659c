//! A checked workflow to a plan: nodes in the order of rule R2, names as
//! indexes.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::graph::{Graph, ToEnd};
use super::kind::{BranchSource, Does, KindSource};
use super::link::{Link, Rule};
use super::names::NameIndex;
use super::plan::{
    Branch, END, Edge, EdgeIx, EdgeRule, HumanApproval, Kind, Node, NodeIx, Plan, PlanText, Target,
};
use super::source::{NodeSource, Source};
use crate::condition::{Expression, Root};

/// Build the plan of a workflow in which nothing is faulty.
pub(super) fn plan(source: Source<'_>, graph: Graph, ignored: Vec<String>) -> Plan {
    let names = Names::new(&source, &graph);
    let edges = edges(graph.links, &names);
    let (outgoing, incoming) = ends(source.nodes.len(), &edges);
    let mut ends_of = to_end(graph.ends, &names);
    let start = names.node(
        source
            .start
            .as_deref()
            .expect("a checked workflow has a start node"),
    );

    let mut nodes: Vec<(NodeIx, NodeSource<'_>)> =
        names.by_id.iter().copied().zip(source.nodes).collect();
    nodes.sort_unstable_by_key(|(ix, _)| *ix);
    let nodes: Vec<Node> = nodes
        .into_iter()
        .zip(outgoing.windows(2).zip(incoming))
        .map(|((ix, node), (outgoing, incoming))| {
            let outgoing = outgoing[0]..outgoing[1];
            let ends = ends_of.remove(&ix);
            Node {
                rank: names.ranks[ix.0 as usize],
                kind: kind(node.kind, &names),
                kind_json: RawValue::from_string(node.kind_json.into())
                    .expect("checked JSON is JSON"),
                id: node.id.into_owned(),
                outgoing,
                incoming,
                leads_to_end: ends.is_some(),
                failure_ends: ends.unwrap_or_default(),
                retry: node.retry,
                timeout: node.timeout,
                compensation: node.compensation.map(Box::new),
            }
        })
        .collect();
    Plan {
        workflow_id: source.id.into_owned(),
        version: source.version.into_owned(),
        start,
        workflow_timeout: source.timeouts.workflow,
        max_concurrent_nodes: source.max_concurrent_nodes,
        max_dispatch_per_tick: source.max_dispatch_per_tick,
        budgets: source.budgets,
        transient_keys: transient_keys(&nodes),
        reads_errors: handles_failures(&nodes, &edges)
            && nodes.iter().any(|node| node.reads(Root::Errors)),
        ignored,
        unreachable: graph.unreachable,
        by_id: NameIndex::new(nodes.iter().map(|node| node.id.as_str())),
        nodes,
        edges,
    }
}

/// Whether an edge may handle a failure (rule R26).
fn handles_failures(nodes: &[Node], edges: &[Edge]) -> bool {
    edges.iter().any(|edge| edge.on.judges_failure())
        || nodes.iter().any(|node| !node.failure_ends.is_empty())
}

/// The correlation keys of waits none of which takes what came before it waited. Where a
/// wait that does has a key that is not known yet, there are none.
fn transient_keys(nodes: &[Node]) -> BTreeSet<String> {
    let waits = |takes_kept: bool| {
        nodes.iter().filter_map(move |node| match &node.kind {
            Kind::Wait(wait) if wait.takes_kept == takes_kept => wait.correlation_key.as_ref(),
            _ => None,
        })
    };
    let literal = |key: &PlanText| key.literal().map(ToOwned::to_owned);
    let mut keys: BTreeSet<String> = waits(false).filter_map(literal).collect();
    if keys.is_empty() {
        return keys;
    }
    for key in waits(true) {
        let Some(key) = key.literal() else {
            return BTreeSet::new();
        };
        keys.remove(key);
    }
    keys
}

/// Where each node of the source stands in the plan.
struct Names<'a> {
    /// The ids of the source's nodes, sorted.
    ids: Vec<Cow<'a, str>>,
    /// For each of them, its index.
    by_id: Vec<NodeIx>,
    /// For each index, its rank.
    ranks: Vec<u32>,
}

impl<'a> Names<'a> {
    fn new(source: &Source<'a>, graph: &Graph) -> Self {
        let ranks = &graph.ranking.ranks;
        let mut ordered: Vec<usize> = (0..source.nodes.len()).collect();
        ordered.sort_by_key(|&at| (ranks[at], at));
        let mut by_id = vec![NodeIx(0); ordered.len()];
        for (ix, &at) in (0..).zip(&ordered) {
            by_id[at] = NodeIx(ix);
        }
        Self {
            ids: source.nodes.iter().map(|node| node.id.clone()).collect(),
            by_id,
            ranks: ordered.iter().map(|&at| ranks[at]).collect(),
        }
    }

    fn node(&self, id: &str) -> NodeIx {
        let place = self.ids.binary_search_by(|probe| (**probe).cmp(id));
        self.by_id[place.expect("every name in a checked workflow is a node's")]
    }

    fn target(&self, id: &str) -> Target {
        match id {
            END => Target::End,
            id => Target::Node(self.node(id)),
        }
    }
}

/// The edges by (source, target); those of the same ends stay in their order.
fn edges(links: Vec<Link>, names: &Names<'_>) -> Vec<Edge> {
    let edge = |link: Link| Edge {
        from: names.by_id[link.from],
        to: names.by_id[link.to],
        on: link.on,
        rule: match link.rule {
            Rule::Chosen => EdgeRule::Chosen,
            Rule::Ordinary(condition) => EdgeRule::Ordinary(condition),
            Rule::Implied => EdgeRule::Ordinary(None),
        },
    };
    let mut edges: Vec<Edge> = links.into_iter().map(edge).collect();
    edges.sort_by_key(|edge| (edge.from, edge.to));
    edges
}

/// Where each node's outgoing edges begin (and the last ones end), and its
/// incoming edges.
fn ends(nodes: usize, edges: &[Edge]) -> (Vec<u32>, Vec<Vec<EdgeIx>>) {
    let mut outgoing = vec![0; nodes + 1];
    let mut incoming = vec![Vec::new(); nodes];
    for (ix, edge) in (0..).map(EdgeIx).zip(edges) {
        outgoing[edge.from.0 as usize + 1] += 1;
        incoming[edge.to.0 as usize].push(ix);
    }
    for node in 0..nodes {
        outgoing[node + 1] += outgoing[node];
    }
    (outgoing, incoming)
}

/// The nodes with edges to `"end"`, and the conditions of those that handle a failure.
fn to_end(ends: Vec<ToEnd>, names: &Names<'_>) -> BTreeMap<NodeIx, Vec<Option<Expression>>> {
    let mut by_node: BTreeMap<NodeIx, Vec<Option<Expression>>> = BTreeMap::new();
    for end in ends {
        let node = by_node.entry(names.by_id[end.from]).or_default();
        if end.on.judges_failure() {
            node.push(end.condition);
        }
    }
    by_node
}

fn kind(source: Option<KindSource<'_>>, names: &Names<'_>) -> Kind {
    match source.expect("a checked workflow's nodes have kinds").does {
        Does::Plainly(kind) => kind,
        Does::Condition(branches) => {
            let branch = |BranchSource { condition, target }| Branch {
                condition,
                target: names.target(&target),
            };
            Kind::Condition(branches.into_iter().map(branch).collect())
        }
        Does::HumanApproval {
            description,
            timeout,
            fallback,
        } => {
            let fallback = fallback.map(|id| names.target(&id));
            Kind::HumanApproval(HumanApproval {
                description,
                timeout,
                fallback,
            })
        }
    }
}
