//! What the workflow's JSON says: nodes in the order of rule R2, and edges.

use std::collections::{BTreeMap, BTreeSet};

use refrain_guest::condition::{Expression, Roots};
use serde_json::Value;
use serde_json::value::RawValue;

/// A valid workflow.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) json: Value,
    /// In the order of rule R2.
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Edges to the terminal: from where, what has to become of it, the condition.
    pub(super) ends: Vec<(usize, String, Option<String>)>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    rank: usize,
    pub(super) json: Value,
    /// Its kind, verbatim.
    pub(super) kind_text: String,
    /// Its `compensate`, verbatim.
    pub(super) compensate_text: Option<String>,
    /// Where it is an instance of a map.
    pub(super) instance: Option<Instance>,
    /// Where it is a compensation.
    pub(super) undo: Option<Undo>,
}

/// What undoes a run (rule R27).
#[derive(Debug)]
pub(super) struct Undo {
    /// The sequence of the run's completion.
    pub(super) completed: u64,
    /// What the run produced, verbatim.
    pub(super) output: String,
    /// Of an instance, its element, verbatim, and its index.
    pub(super) element: Option<(String, usize)>,
}

/// An instance of a map (rule R21).
#[derive(Debug)]
pub(super) struct Instance {
    /// The map.
    pub(super) map: usize,
    pub(super) index: usize,
    /// Its element, verbatim.
    pub(super) item: String,
}

/// An edge between two nodes by their places in [`Graph::nodes`].
#[derive(Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The text of its condition.
    pub(super) condition: Option<String>,
    /// Live only if chosen: the target of a branch, a fallback, a violation.
    pub(super) chosen: bool,
    /// What has to become of its source (rule R26): `success`, `failure`, `always`.
    pub(super) on: String,
}

/// An edge by the ids of its ends.
struct Line {
    from: String,
    to: String,
    condition: Option<String>,
    chosen: bool,
    on: String,
}

/// What of the workflow is wanted verbatim.
#[derive(serde::Deserialize)]
struct Texts {
    nodes: BTreeMap<String, KindText>,
}

#[derive(serde::Deserialize)]
struct KindText {
    kind: Box<RawValue>,
    #[serde(default)]
    compensate: Option<Box<RawValue>>,
}

impl Graph {
    pub(super) fn read(workflow: &str) -> Self {
        let json: Value = serde_json::from_str(workflow).expect("a workflow is JSON");
        let texts: Texts = serde_json::from_str(workflow).expect("a workflow has nodes");
        let node = |(id, text): (String, KindText)| Node {
            rank: 0,
            json: json["nodes"][&id].clone(),
            kind_text: text.kind.get().to_owned(),
            compensate_text: text.compensate.map(|text| text.get().to_owned()),
            instance: None,
            undo: None,
            id,
        };
        let mut nodes: Vec<Node> = texts.nodes.into_iter().map(node).collect();
        let (lines, ends) = lines(&json, &nodes);
        rank(&mut nodes, &lines);
        nodes.sort_by(|a, b| (a.rank, a.id.as_bytes()).cmp(&(b.rank, b.id.as_bytes())));
        let place = |id: &str| nodes.iter().position(|node| node.id == id);
        let edge = |line: Line| Edge {
            from: place(&line.from).expect("an edge comes from a node"),
            to: place(&line.to).expect("an edge leads to a node"),
            condition: line.condition,
            chosen: line.chosen,
            on: line.on,
        };
        let edges = lines.into_iter().map(edge).collect();
        let end = |line: Line| Some((place(&line.from)?, line.on, line.condition));
        let ends = ends.into_iter().filter_map(end).collect();
        Self {
            json,
            nodes,
            edges,
            ends,
        }
    }

    /// Instances become nodes, right behind their map.
    pub(super) fn insert(&mut self, map: usize, instances: Vec<Node>) {
        let count = instances.len();
        let later = |node: usize| if node > map { node + count } else { node };
        for edge in &mut self.edges {
            (edge.from, edge.to) = (later(edge.from), later(edge.to));
        }
        for (from, _, _) in &mut self.ends {
            *from = later(*from);
        }
        for node in &mut self.nodes {
            if let Some(instance) = &mut node.instance {
                instance.map = later(instance.map);
            }
        }
        self.nodes.splice(map + 1..map + 1, instances);
    }

    pub(super) fn place(&self, id: &str) -> usize {
        let place = self.nodes.iter().position(|node| node.id == id);
        place.expect("an event names a node of the workflow")
    }

    /// The workflow's own narrowing of a limit (rule R4).
    pub(super) fn limit(&self, name: &str) -> Option<u32> {
        let limit = self.json["limits"][name].as_u64()?;
        Some(u32::try_from(limit).expect("a limit is a u32"))
    }

    /// The edges into a node; an edge from another kind to a finalizer means
    /// nothing (rule R16).
    pub(super) fn incoming(&self, node: usize) -> impl Iterator<Item = (usize, &Edge)> {
        let edges = self.edges.iter().enumerate();
        edges.filter(move |(_, edge)| edge.to == node && self.counts(edge))
    }

    fn counts(&self, edge: &Edge) -> bool {
        let [from, to] = [edge.from, edge.to].map(|node| self.nodes[node].run_on().is_some());
        from == to
    }

    /// The workflow's timeout in milliseconds (rule R14).
    pub(super) fn timeout_ms(&self) -> Option<u64> {
        milliseconds(&self.json["timeouts"]["workflow_timeout"])
    }

    /// A node's timeout for one attempt in milliseconds (rule R14).
    pub(super) fn node_timeout_ms(&self, node: usize) -> Option<u64> {
        let own = milliseconds(&self.nodes[node].json["node_timeout_secs"]);
        // A child has the time that its node gives it, and no other (R14).
        let all = || milliseconds(&self.json["timeouts"]["node_timeout"]);
        own.or_else(|| all().filter(|_| self.nodes[node].name() != "subgraph"))
    }

    /// When a wait or an approval that begins at `now` ends by itself (rule R19).
    pub(super) fn ends_at(&self, node: usize, now: u64) -> Option<u64> {
        if let Some(until) = self.nodes[node].text("until") {
            return Some(milliseconds_of(until).expect("it is written as here"));
        }
        let patience = self.patience_ms(node)?;
        Some(now.saturating_add(patience))
    }

    /// R24: the nodes that lead to nothing but this join, finalizers excepted.
    pub(super) fn rest(&self, join: usize) -> BTreeSet<usize> {
        let mut rest = BTreeSet::new();
        for _ in &self.nodes {
            for node in 0..self.nodes.len() {
                let own = |edge: &&Edge| edge.from == node && self.counts(edge);
                let mut edges = self.edges.iter().filter(own).peekable();
                let leads_on = edges.peek().is_some();
                let leads_there = edges.all(|edge| edge.to == join || rest.contains(&edge.to));
                let leads_to_end = self.ends.iter().any(|(from, _, _)| *from == node);
                let is_finalizer = self.nodes[node].run_on().is_some();
                if leads_on && leads_there && !leads_to_end && !is_finalizer {
                    rest.insert(node);
                }
            }
        }
        rest
    }

    /// How long a wait or an approval may last, in milliseconds (rule R19).
    pub(super) fn patience_ms(&self, node: usize) -> Option<u64> {
        let own = milliseconds(&self.nodes[node].kind()["timeout_secs"]);
        match self.nodes[node].name() {
            "human_approval" => {
                own.or_else(|| milliseconds(&self.json["timeouts"]["approval_timeout"]))
            }
            _ => own,
        }
    }
}

impl Graph {
    /// Whether it waits for an external event (rule R19).
    pub(super) fn waits_for_event(&self, node: usize) -> bool {
        let it = &self.nodes[node];
        it.name() == "wait" && it.text("condition") != Some("timer")
    }
}

impl Node {
    pub(super) fn of_instance(
        id: String,
        json: Value,
        kind_text: String,
        instance: Instance,
    ) -> Self {
        Self {
            id,
            rank: 0,
            json,
            kind_text,
            compensate_text: None,
            instance: Some(instance),
            undo: None,
        }
    }

    pub(super) fn of_undo(id: String, json: Value, kind_text: String, undo: Undo) -> Self {
        Self {
            id,
            rank: 0,
            json,
            kind_text,
            compensate_text: None,
            instance: None,
            undo: Some(undo),
        }
    }

    pub(super) fn kind(&self) -> &Value {
        &self.json["kind"]
    }

    /// The kind's name.
    pub(super) fn name(&self) -> &str {
        self.kind()["type"].as_str().expect("a kind has a type")
    }

    /// A field of the kind that is a text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.kind()[field].as_str()
    }

    /// How urgent its work items are, where it says so itself.
    pub(super) fn priority(&self) -> Option<u64> {
        self.json["priority"].as_u64()
    }

    /// The endings that a finalizer runs on; None for what is none.
    pub(super) fn run_on(&self) -> Option<&str> {
        let of_kind = (self.name() == "finalizer").then(|| self.text("run_on"));
        of_kind.flatten().or(self.json["run_on"].as_str())
    }

    /// The branches of a condition that the guest settles itself (rule R6).
    pub(super) fn branches(&self) -> Option<&[Value]> {
        let branches = self.kind()["branches"].as_array()?;
        (self.name() == "condition" && !branches.is_empty()).then_some(branches)
    }

    /// At how many live edges a join is ready that does not wait for all (rules R6 and R24).
    pub(super) fn needed(&self) -> Option<usize> {
        let strategy = &self.kind()["merge_strategy"];
        match strategy["count"].as_u64() {
            _ if self.name() != "join" => None,
            Some(edges) => usize::try_from(edges).ok(),
            None => (strategy == "first").then_some(1),
        }
    }

    /// Whether a field of the kind is true.
    pub(super) fn flag(&self, field: &str) -> Option<bool> {
        self.kind()[field].as_bool()
    }

    /// The queue of its work items (rule R5); None: the guest settles it
    /// itself (rule R6).
    pub(super) fn queue(&self) -> Option<&str> {
        let of_kind = self.queue_of_kind()?;
        Some(self.json["queue"].as_str().unwrap_or(of_kind))
    }

    fn queue_of_kind(&self) -> Option<&str> {
        match self.name() {
            "task" => self.text("queue"),
            "model" => Some("model"),
            "tool" | "finalizer" | "mcp_tool" | "a2a_task" => Some("tool"),
            "python_fn" => Some("python_tool"),
            "java_fn" => Some("java_tool"),
            "memory_retrieval" => Some("retrieval"),
            "command" => Some("command"),
            "http" => Some("http"),
            "parallel" | "wait" | "human_approval" | "limit_exceeded" | "terminate" | "map"
            | "subgraph" => None,
            "condition" if self.branches().is_some() => None,
            "join" if self.kind()["merge_strategy"].get("custom").is_none() => None,
            _ => Some("general"),
        }
    }
}

/// All edges, those inside kinds included; where there is an explicit edge
/// between the same nodes already, they are one. The terminal is no node: what leads
/// there comes second.
fn lines(json: &Value, nodes: &[Node]) -> (Vec<Line>, Vec<Line>) {
    let mut lines: Vec<Line> = Vec::new();
    for edge in json["edges"].as_array().into_iter().flatten() {
        let text = |field: &str| edge[field].as_str().map(str::to_owned);
        let (from, to) = (text("from"), text("to"));
        let line = Line {
            from: from.expect("an edge comes from somewhere"),
            to: to.expect("an edge leads somewhere"),
            condition: text("condition"),
            chosen: false,
            on: text("on").unwrap_or_else(|| "success".to_owned()),
        };
        let same = |other: &Line| {
            let key = |line: &Line| (line.from.clone(), line.to.clone(), line.on.clone());
            key(other) == key(&line) && other.condition == line.condition
        };
        if !lines.iter().any(same) {
            lines.push(line);
        }
    }
    for node in nodes {
        inside(node, &mut lines);
    }
    lines.into_iter().partition(|line| line.to != "end")
}

/// The edges that a node's kind names.
fn inside(node: &Node, lines: &mut Vec<Line>) {
    let kind = node.kind();
    let list = |field: &str| kind[field].as_array().cloned().unwrap_or_default();
    if node.branches().is_some() {
        let own = lines.iter_mut().filter(|line| line.from == node.id);
        own.for_each(|line| line.chosen = true);
    }
    for branch in node.branches().into_iter().flatten() {
        add(lines, &node.id, &branch["target"], true);
    }
    if node.name() == "parallel" {
        for target in list("branches") {
            add(lines, &node.id, &target, false);
        }
    }
    if node.name() == "join" {
        for source in list("wait_for") {
            let source = source.as_str().expect("a join waits for nodes");
            add(lines, source, &Value::from(node.id.as_str()), false);
        }
    }
    let targets = [
        ("human_approval", &kind["fallback_node"]),
        ("policy", &kind["on_violation"]["branch"]["target"]),
        ("a2a_task", &kind["on_input_required"]),
    ];
    for (name, target) in targets {
        if node.name() == name {
            add(lines, &node.id, target, true);
        }
    }
}

fn add(lines: &mut Vec<Line>, from: &str, to: &Value, chosen: bool) {
    let Some(to) = to.as_str() else { return };
    let mut known = false;
    for line in lines.iter_mut() {
        if (line.from.as_str(), line.to.as_str()) != (from, to) {
            continue;
        }
        match (chosen, line.on.as_str()) {
            (false, _) => known = true,
            (true, "success") => {
                line.chosen = true;
                known = true;
            }
            (true, _) => line.on = "failure".to_owned(),
        }
    }
    if !known {
        lines.push(Line {
            from: from.to_owned(),
            to: to.to_owned(),
            condition: None,
            chosen,
            on: "success".to_owned(),
        });
    }
}

/// Rule R2: the longest path that leads to a node. A finalizer's counts the
/// edges among finalizers.
fn rank(nodes: &mut [Node], lines: &[Line]) {
    let place = |id: &str| nodes.iter().position(|node| node.id == id);
    let edges: Vec<(usize, usize)> = lines
        .iter()
        .filter_map(|line| Some((place(&line.from)?, place(&line.to)?)))
        .filter(|(from, to)| nodes[*from].run_on().is_some() == nodes[*to].run_on().is_some())
        .collect();
    for _ in 0..nodes.len() {
        for (from, to) in &edges {
            nodes[*to].rank = nodes[*to].rank.max(nodes[*from].rank + 1);
        }
    }
}

/// Seconds in JSON, as milliseconds; a span of `{"secs", "nanos"}` is rounded up.
pub(super) fn milliseconds(json: &Value) -> Option<u64> {
    match json.as_u64() {
        Some(seconds) => Some(seconds.saturating_mul(1_000)),
        None => {
            let nanos = json["nanos"].as_u64().unwrap_or(0);
            let whole = json["secs"].as_u64()?.saturating_mul(1_000);
            Some(whole.saturating_add(nanos.div_ceil(1_000_000)))
        }
    }
}

/// `1970-01-02T00:00:01Z` as milliseconds since the epoch: days, counted one by one.
pub(super) fn milliseconds_of(time: &str) -> Option<u64> {
    if time.len() != 20 || !time.ends_with('Z') {
        return None;
    }
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let is_leap = |year: u64| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    let february = |year| if is_leap(year) { 29 } else { 28 };
    let months = |year| [31, february(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: u64 = (1970..year)
        .map(|year| months(year).iter().sum::<u64>())
        .sum();
    let days: u64 = months(year).iter().take(month as usize - 1).sum();
    let hours = (years + days + day - 1) * 24 + number(11, 13)?;
    Some(((hours * 60 + number(14, 16)?) * 60 + number(17, 19)?) * 1_000)
}

/// A condition of a valid workflow.
pub(super) fn expression(text: &str) -> Expression {
    Expression::parse_over(text, Roots::OF_FAILURES).expect("a valid workflow's conditions parse")
}
