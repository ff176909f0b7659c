//! One log, and the place in it that is looked at.

use refrain::id::ExecutionId;
use refrain::model::{Event, EventKind, Explanation, Status};
use refrain::picture::{self, Picture};
use refrain::replay::nodes::Nodes;
use refrain::replay::{Travel, is_failure, node_of, status_of};
use refrain::store::Timestamp;

use super::filter::Filter;
use super::folds::Folds;
use super::seen::{self, KeyValue};

/// What of the graph is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The nodes, by layers.
    Layers,
    /// The instances of this map.
    Map(String),
}

/// One log, and the place in it that is looked at.
pub(in crate::cli) struct Level {
    pub(super) id: ExecutionId,
    /// Its workflow.
    pub(super) name: String,
    pub(super) travel: Travel,
    /// The workflow, without states.
    pub(super) picture: Picture,
    /// Its nodes by layers, by their places in the picture.
    pub(super) layers: Vec<Vec<usize>>,
    folds: Folds,
    pub(super) view: View,
    /// The chosen node, instance or compensation.
    pub(super) node: Option<String>,
    /// The chosen key of the state.
    pub(super) key: Option<String>,
    filter: Filter,
    /// The sequences of the events that are listed, in their order. `None`: of all.
    listed: Option<Vec<u64>>,
    status: Option<(u64, Status)>,
    state: Option<(u64, Result<Vec<KeyValue>, String>)>,
    explanation: Option<(u64, String, Result<Explanation, String>)>,
}

impl Level {
    pub(in crate::cli) fn of(travel: Travel, name: String) -> Self {
        let recording = travel.recording();
        let id = recording.execution_id;
        // A text that is no workflow has no graph; its guest says what is wrong with it.
        let picture = picture::of_workflow(&recording.workflow).unwrap_or_default();
        let layers = picture::layers(&picture);
        let first = layers.first().and_then(|layer| layer.first());
        let first = first.map(|place| picture.nodes[*place].id.clone());
        // What has failed is what most people come for.
        let events = recording.events.iter().rev().map(|it| &it.event.kind);
        let mut failed = events.filter(|kind| is_failure(kind));
        let node = failed.find_map(node_of).map(str::to_owned).or(first);
        Self {
            id,
            name,
            travel,
            picture,
            layers,
            folds: Folds::default(),
            view: View::Layers,
            node,
            key: None,
            filter: Filter::default(),
            listed: None,
            status: None,
            state: None,
            explanation: None,
        }
    }

    /// Takes over what was looked at in the same log when it was shorter: what is chosen, and
    /// the place, unless that was the end.
    pub(super) fn look_as(&mut self, before: Self) {
        if before.sequence() < before.last() {
            self.go(before.sequence());
        }
        self.view = before.view;
        self.node = before.node;
        self.key = before.key;
        self.list(before.filter);
    }

    /// The event that the place is behind; 0 before the first.
    pub(super) fn sequence(&self) -> u64 {
        self.travel.sequence()
    }

    pub(in crate::cli) fn last(&self) -> u64 {
        self.travel.last()
    }

    pub(super) fn event(&self, sequence: u64) -> Option<&Event> {
        let place = usize::try_from(sequence).ok()?.checked_sub(1)?;
        let stored = self.travel.recording().events.get(place)?;
        Some(&stored.event)
    }

    /// What time it is at the place.
    pub(super) fn at(&self) -> Timestamp {
        self.travel.at()
    }

    /// Milliseconds from the first event to the place.
    pub(super) fn since_beginning(&self) -> u64 {
        let first = self.event(1).map_or(0, |event| event.at);
        self.at().saturating_sub(first)
    }

    /// Goes behind this event, or the last if there are not so many.
    pub(in crate::cli) fn go(&mut self, sequence: u64) {
        let sequence = sequence.min(self.last());
        // The log has it.
        let _ = self.travel.go(sequence);
    }

    /// The nodes at the place.
    pub(super) fn nodes(&mut self) -> &Nodes {
        self.drawn().2
    }

    /// What the graph is drawn of: the workflow, its layers, and the nodes at the place.
    pub(super) fn drawn(&mut self) -> (&Picture, &[Vec<usize>], &Nodes) {
        let place = usize::try_from(self.travel.sequence()).unwrap_or(usize::MAX);
        let nodes = self.folds.at(&self.travel.recording().events, place);
        (&self.picture, &self.layers, nodes)
    }

    /// The status at the place, as the log says it.
    pub(super) fn status(&mut self) -> Status {
        let sequence = self.sequence();
        match self.status {
            Some((of, status)) if of == sequence => status,
            _ => {
                let events = (1..=sequence).filter_map(|it| self.event(it));
                let status = status_of(events);
                self.status = Some((sequence, status));
                status
            }
        }
    }

    /// Lists only these events.
    pub(super) fn list(&mut self, filter: Filter) {
        self.listed = None;
        if !filter.is_empty() {
            let events = &self.travel.recording().events;
            let nodes = Nodes::of(events.iter().map(|stored| &stored.event));
            let listed = events.iter().filter(|it| filter.lists(&it.event, &nodes));
            self.listed = Some(listed.map(|it| it.event.sequence).collect());
        }
        self.filter = filter;
    }

    /// How many events are listed.
    pub(super) fn listed_count(&self) -> usize {
        match &self.listed {
            Some(listed) => listed.len(),
            None => usize::try_from(self.last()).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.listed.is_some()
    }

    /// The sequence of the listed event at this place of the list.
    pub(super) fn listed(&self, place: usize) -> Option<u64> {
        match &self.listed {
            Some(listed) => listed.get(place).copied(),
            None => ((place as u64) < self.last()).then_some(place as u64 + 1),
        }
    }

    /// How many listed events there are up to the place.
    pub(super) fn listed_before(&self) -> usize {
        let sequence = self.sequence();
        match &self.listed {
            Some(listed) => listed.partition_point(|it| *it <= sequence),
            None => usize::try_from(sequence).unwrap_or(usize::MAX),
        }
    }

    /// Asks the guest for what is not known of this place yet: the state, and the explanation
    /// of the chosen node. Whether there was anything to ask.
    pub(super) fn ask(&mut self) -> bool {
        let sequence = self.sequence();
        let mut asked = false;
        if self.state.as_ref().is_none_or(|(of, _)| *of != sequence) {
            self.state = Some((sequence, seen::state(&mut self.travel)));
            asked = true;
        }
        if self.explanation().is_none()
            && let Some(node) = self.node.clone()
            && let Some(explanation) = seen::explanation(&mut self.travel, &node)
        {
            self.explanation = Some((sequence, node, explanation));
            asked = true;
        }
        asked
    }

    /// The state as it was last asked for, and whether that was at this place.
    pub(super) fn state(&self) -> (Option<&Result<Vec<KeyValue>, String>>, bool) {
        let is_of_place = |(of, _): &&(u64, _)| *of == self.sequence();
        let is_fresh = self.state.as_ref().filter(is_of_place).is_some();
        (self.state.as_ref().map(|(_, state)| state), is_fresh)
    }

    /// Why the chosen node is where it is; `None` if that is not known yet.
    pub(super) fn explanation(&self) -> Option<&Result<Explanation, String>> {
        let (of, node, explanation) = self.explanation.as_ref()?;
        let is_of_place = *of == self.sequence() && Some(node) == self.node.as_ref();
        is_of_place.then_some(explanation)
    }

    /// Chooses the node that the event at the place is about, if it is about one.
    pub(in crate::cli) fn choose_node_of_event(&mut self) -> bool {
        let event = self.event(self.sequence());
        let node = event.and_then(|event| node_of(&event.kind));
        let Some(node) = node.map(str::to_owned) else {
            return false;
        };
        self.node = Some(node);
        true
    }

    /// The last child that the chosen node has asked for up to the place.
    pub(super) fn child(&self) -> Option<ExecutionId> {
        let node = self.node.as_deref()?;
        let place = usize::try_from(self.sequence()).unwrap_or(usize::MAX);
        let events = self.travel.recording().events.iter().take(place).rev();
        let mut kinds = events.map(|stored| &stored.event.kind);
        kinds.find_map(|kind| match kind {
            EventKind::ChildRequested(it) if it.node_id == node => Some(ExecutionId::of_child(
                self.id,
                node,
                it.attempt,
                it.iteration,
            )),
            _ => None,
        })
    }

    /// Who works on this node at the place.
    pub(super) fn worker_of(&self, node: &str) -> Option<&str> {
        let place = usize::try_from(self.sequence()).unwrap_or(usize::MAX);
        let events = self.travel.recording().events.iter().take(place).rev();
        let mut kinds = events.map(|stored| &stored.event.kind);
        kinds.find_map(|kind| match kind {
            EventKind::NodeStarted(it) if it.node_id == node => Some(it.worker_id.as_str()),
            _ => None,
        })
    }

    /// The ids of the nodes that the graph shows, in the order in which it does.
    pub(super) fn shown_nodes(&mut self) -> Vec<String> {
        match self.view.clone() {
            View::Layers => {
                let order = self.layers.iter().flatten();
                order
                    .map(|place| self.picture.nodes[*place].id.clone())
                    .collect()
            }
            View::Map(map) => {
                let count = self.nodes().named(&map).and_then(|it| it.instances);
                (0..count.unwrap_or(0))
                    .map(|index| format!("{map}[{index}]"))
                    .collect()
            }
        }
    }
}
