//! Maps (rule R21). An expanded map's instances are further nodes of the graph, right
//! behind the map: there the order of rule R2 has them.

use refrain_guest::condition::{Expression, Roots};
use refrain_guest::contract::{
    CancelReason, Event, EventKind, FailedInstances, MapExpanded, NodeFailure,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::graph::{Graph, expression};
use super::next::Question;
use super::node::{Instance, Node};
use super::past::Past;
use super::record::{Record, Stage, Wait};

/// What a map can be over at most, in bytes and in elements.
const PAYLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;
const ITEMS_MAX: u64 = 100_000;

impl Question<'_> {
    /// The map that this is an instance of.
    pub(super) fn map_of(&self, node: usize) -> Option<usize> {
        self.graph.nodes[node].instance.as_ref().map(|it| it.map)
    }

    /// Whether the map is expanded and unsettled.
    fn is_open(&self, map: usize) -> bool {
        matches!(self.past.nodes[map].stage, Stage::Waiting(_))
    }

    /// An instance may still be dispatched.
    pub(super) fn is_ready_instance(&self, node: usize, map: usize) -> bool {
        matches!(self.past.nodes[node].stage, Stage::Pending) && self.is_open(map)
    }

    /// Whether its map lets one more instance be under way.
    pub(super) fn has_window(&self, node: usize) -> bool {
        let Some(map) = self.map_of(node) else {
            return true;
        };
        let under_way = self.instances(map).into_iter().filter(|node| {
            let record = &self.past.nodes[*node];
            record.is_under_way() || record.is_failing()
        });
        let window = self.graph.nodes[map].kind()["max_concurrent"].as_u64();
        window.is_none_or(|window| (under_way.count() as u64) < window)
    }

    fn instances(&self, map: usize) -> Vec<usize> {
        let all = 0..self.graph.nodes.len();
        all.filter(|node| self.map_of(*node) == Some(map)).collect()
    }

    /// Of a settled map, an instance that has to be stopped.
    pub(super) fn stops_rest(&self) -> Option<EventKind> {
        let stops = |(node, record): &(usize, &Record)| {
            let Some(map) = self.map_of(*node) else {
                return false;
            };
            let completed = matches!(self.past.nodes[map].stage, Stage::Completed);
            let keeps = completed && self.graph.nodes[map].kind()["cancel_rest"] != true;
            !self.is_open(map) && !keeps && (record.is_under_way() || record.is_failing())
        };
        let (node, _) = self.nodes().find(stops)?;
        Some(self.cancelled(node, CancelReason::MapSettled))
    }

    /// Its map needs no further attempt of it.
    pub(super) fn is_left_behind(&self, node: usize) -> bool {
        self.map_of(node).is_some_and(|map| !self.is_open(map))
    }

    /// A ready map is expanded.
    pub(super) fn expanded(&self, node: usize) -> EventKind {
        let it = &self.graph.nodes[node];
        let list = self
            .past
            .value(it.text("over").expect("a map is over something"));
        if list.len() > PAYLOAD_BYTES_MAX {
            return self.exhausted(node, 0, NodeFailure::TooLarge("/kind/over".to_owned()));
        }
        let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(&list) else {
            return self.exhausted(node, 0, NodeFailure::NotAList);
        };
        let most = it.kind()["max_items"].as_u64().unwrap_or(ITEMS_MAX);
        let count = u32::try_from(items.len()).expect("few elements");
        if u64::from(count) > most {
            return self.exhausted(node, 0, NodeFailure::TooManyItems(count));
        }
        EventKind::MapExpanded(MapExpanded {
            node_id: self.id(node),
            count,
        })
    }

    /// What becomes of an expanded map now.
    pub(super) fn map_settled(&self, map: usize) -> Option<EventKind> {
        let kind = self.graph.nodes[map].kind();
        let instances = self.instances(map);
        let stage = |node: &usize| &self.past.nodes[*node].stage;
        let failed: Vec<usize> = instances
            .iter()
            .copied()
            .filter(|node| matches!(stage(node), Stage::Failed))
            .collect();
        let well = instances
            .iter()
            .filter(|node| matches!(stage(node), Stage::Completed | Stage::Skipped))
            .count();
        let tolerate = &kind["tolerate"];
        let is_too_much = match tolerate["percent"].as_u64() {
            Some(percent) => failed.len() as u64 * 100 > percent * instances.len() as u64,
            None => failed.len() as u64 > tolerate["failures"].as_u64().unwrap_or(0),
        };
        if is_too_much {
            let told = failed.iter().take(10).map(|node| self.id(*node));
            let cause = NodeFailure::InstancesFailed(FailedInstances {
                count: u32::try_from(failed.len()).expect("few instances"),
                nodes: told.collect(),
            });
            return Some(self.exhausted(map, 0, cause));
        }
        let is_enough = kind["complete_after"]
            .as_u64()
            .is_some_and(|n| well as u64 >= n);
        if !is_enough && well + failed.len() < instances.len() {
            return None;
        }
        let outputs = instances.iter().map(|node| match stage(node) {
            Stage::Completed => self.past.outputs[node].trim(),
            _ => "null",
        });
        let outputs: Vec<&str> = outputs.collect();
        let id = self.id(map);
        let key = json!(kind["output_key"].as_str().unwrap_or(&id));
        let patch = format!("{{{key}:[{}]}}", outputs.join(","));
        Some(self.completed(map, "null", &patch, None))
    }
}

/// The map has these elements: its instances become nodes.
pub(super) fn expand(graph: &mut Graph, past: &mut Past, event: &MapExpanded, since: u64) {
    let map = graph.place(&event.node_id);
    let list = past.value(
        graph.nodes[map]
            .text("over")
            .expect("a map is over something"),
    );
    let items: Vec<Box<RawValue>> = serde_json::from_str(&list).expect("a map is over a list");
    past.wait(map, since, None, None);
    past.was_expanded.insert(event.node_id.clone());
    let text: Value = graph.nodes[map].json.clone();
    let body: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&graph.nodes[map].kind_text).expect("a kind is an object");
    let instances = items.iter().enumerate().map(|(index, item)| {
        let mut json = text.clone();
        json["kind"] = text["kind"]["body"].clone();
        let mut node = Node::of_instance(
            format!("{}[{index}]", event.node_id),
            json,
            body["body"].get().to_owned(),
            Instance {
                map,
                index,
                item: item.get().to_owned(),
            },
        );
        node.compensate_text
            .clone_from(&graph.nodes[map].compensate_text);
        node
    });
    let instances: Vec<Node> = instances.collect();
    past.make_room(graph, map, instances.len());
    graph.insert(map, instances);
}

impl Past {
    /// The places of all that stands behind `map` are later by so many.
    fn make_room(&mut self, graph: &Graph, map: usize, count: usize) {
        let later = |node: usize| if node > map { node + count } else { node };
        self.stalled_on = self.stalled_on.map(later);
        self.unneeded = self.unneeded.iter().copied().map(later).collect();
        let outputs = std::mem::take(&mut self.outputs);
        self.outputs = outputs
            .into_iter()
            .map(|(node, output)| (later(node), output))
            .collect();
        let fresh = Record {
            iteration: 0,
            stage: Stage::Pending,
            attempt: 0,
            releases: 0,
            handled: false,
            max_attempts: super::attempt::max_attempts(&super::attempt::policy(graph, map)),
            skip_asked_for: None,
        };
        let fresh = std::iter::repeat_n(fresh, count);
        self.nodes.splice(map + 1..map + 1, fresh);
    }

    /// The value of a bare expression over state and input, as JSON text.
    fn value(&self, text: &str) -> String {
        self.seen(|scope| expression(text).value(scope))
    }

    /// The value of an expression in this node, as JSON text; an instance sees its
    /// element and index, too.
    pub(super) fn value_in(&self, it: &Node, text: &str) -> String {
        let expression = |roots| {
            let expression = Expression::parse_over(text, roots);
            expression.expect("a valid workflow's expressions parse")
        };
        if let Some(undo) = &it.undo {
            let roots = match undo.element {
                Some(_) => Roots::OF_UNDONE_INSTANCES,
                None => Roots::OF_COMPENSATIONS,
            };
            let (expression, element) = (expression(roots), undo.element.as_ref());
            let index = element.map_or(String::new(), |(_, index)| index.to_string());
            return self.seen(|scope| {
                let scope = scope.in_node(&it.id).of_undone(&undo.output);
                match element {
                    Some((item, _)) => expression.value(&scope.of_instance(item, &index)),
                    None => expression.value(&scope),
                }
            });
        }
        let Some(Instance { item, index, .. }) = &it.instance else {
            let expression = expression(Roots::OF_KINDS);
            return self.seen(|scope| expression.value(&scope.in_node(&it.id)));
        };
        let (expression, index) = (expression(Roots::OF_BODIES), index.to_string());
        self.seen(|scope| {
            let scope = scope.in_node(&it.id).of_instance(item, &index);
            expression.value(&scope)
        })
    }

    /// Whether the event settles an instance. Where it settles a map, what was asked for
    /// its instances is too late.
    pub(super) fn observe_end_of_instance(&mut self, graph: &Graph, event: &Event) -> bool {
        let (id, stage) = match &event.kind {
            EventKind::NodeCompleted(it) => (&it.node_id, Some(Stage::Completed)),
            // It counts as completed, with its map too.
            EventKind::NodeCancelled(it) if it.reason == CancelReason::ByOperator => {
                (&it.node_id, Some(Stage::Skipped))
            }
            EventKind::NodeCancelled(it) => (&it.node_id, None),
            EventKind::NodeSettled(it) => (&it.node_id, None),
            EventKind::NodeExhausted(it) => (&it.node_id, None),
            EventKind::NodeSkipped(it) => (&it.node_id, None),
            _ => return false,
        };
        let node = graph.place(id);
        self.forget_skips(graph, node);
        let Some(stage) = stage.filter(|_| graph.nodes[node].instance.is_some()) else {
            return false;
        };
        if let EventKind::NodeCompleted(it) = &event.kind {
            self.outputs.insert(node, it.output.clone());
            self.note_spent(graph, &event.kind);
        }
        self.stop(node, stage);
        true
    }

    /// R20, of a failed map: what has failed or was stopped is to be done again.
    pub(super) fn reopen_instances(&mut self, graph: &Graph, map: usize) {
        let budget = super::attempt::max_attempts(&super::attempt::policy(graph, map));
        let is_of_map = |node: &Node| node.instance.as_ref().is_some_and(|it| it.map == map);
        let mut is_expanded = self.was_expanded.contains(&graph.nodes[map].id);
        for (place, node) in graph.nodes.iter().enumerate() {
            if !is_of_map(node) {
                continue;
            }
            is_expanded = true;
            let record = &mut self.nodes[place];
            if matches!(record.stage, Stage::Failed | Stage::Cancelled) {
                record.stage = Stage::Pending;
            }
            record.max_attempts = record.attempt + budget;
        }
        if is_expanded {
            self.nodes[map].stage = Stage::Waiting(Wait {
                since: 0,
                began_at: 0,
                until: None,
                key: None,
                fired: false,
                approval: None,
            });
        }
    }

    /// Whatever was asked for the instances of a settled map is too late.
    fn forget_skips(&mut self, graph: &Graph, map: usize) {
        for (place, node) in graph.nodes.iter().enumerate() {
            if node.instance.as_ref().is_some_and(|it| it.map == map) {
                self.nodes[place].skip_asked_for = None;
            }
        }
    }
}
