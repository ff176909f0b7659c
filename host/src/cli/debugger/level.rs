//! One log, and the place in it that is looked at.

use std::collections::HashMap;

use refrain::id::ExecutionId;
use refrain::model::{Event, EventKind, Explanation, Origin, Status};
use refrain::names;
use refrain::picture::{self, Picture};
use refrain::replay::nodes::Nodes;
use refrain::replay::{Standing, Travel, is_failure, node_of};
use refrain::store::Timestamp;

use super::ahead::Choice;
use super::answers::Answers;
use super::filter::Filter;
use super::folds::Folds;
use super::seen::State;
use crate::cli::log;
use crate::cli::output::Paint;
use crate::cli::text::{Text, text};

/// Bytes of an event that is large.
const LARGE_BYTES: usize = 64 * 1024;

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
    pub(in crate::cli) id: ExecutionId,
    /// Its workflow.
    pub(super) name: String,
    /// The event at which it was tampered with. `None` if it was not.
    tampered_at: Option<u64>,
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
    /// The statuses, each with the first event behind which it is so.
    statuses: Vec<(u64, Status)>,
    /// The lines of events that are too large to be read whenever they are listed.
    large: HashMap<u64, Text>,
    /// When the first event was.
    began_at: Timestamp,
    answers: Answers,
}

impl Level {
    pub(in crate::cli) fn of(travel: Travel, name: String, tampered_at: Option<u64>) -> Self {
        let events = travel.log();
        let id = events.execution_id();
        // A text that is no workflow has no graph; its guest says what is wrong with it.
        let picture = picture::of_workflow(events.workflow()).unwrap_or_default();
        let layers = picture::layers(&picture);
        let first = layers.first().and_then(|layer| layer.first());
        let first = first.map(|place| picture.nodes[*place].id.clone());
        let mut node = first;
        let mut standing = Standing::default();
        let mut statuses = vec![(0, standing.status())];
        let mut began_at = 0;
        let mut large = HashMap::new();
        for sequence in 1..=events.len() as u64 {
            if events.event_bytes(sequence) > LARGE_BYTES
                && let Some(event) = events.event(sequence)
            {
                large.insert(sequence, log::in_a_line(&event));
            }
            let Some(event) = events.outline(sequence) else {
                break;
            };
            standing.apply(&event);
            if statuses
                .last()
                .is_none_or(|(_, status)| *status != standing.status())
            {
                statuses.push((event.sequence, standing.status()));
            }
            if event.sequence == 1 {
                began_at = event.at;
            }
            // What has failed is what most people come for.
            if is_failure(&event.kind)
                && let Some(failed) = node_of(&event.kind)
            {
                node = Some(failed.to_owned());
            }
        }
        Self {
            id,
            name,
            tampered_at,
            travel,
            picture,
            layers,
            folds: Folds::default(),
            view: View::Layers,
            node,
            key: None,
            filter: Filter::default(),
            listed: None,
            statuses,
            began_at,
            large,
            answers: Answers::default(),
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

    pub(super) fn event(&self, sequence: u64) -> Option<Event> {
        self.travel.log().event(sequence)
    }

    /// An event in a line, and who authored it. `None` if there is no such event.
    pub(super) fn line(&self, sequence: u64) -> Option<(Text, Origin)> {
        if let Some(line) = self.large.get(&sequence) {
            let origin = self.travel.log().outline(sequence)?.origin;
            return Some((line.clone(), origin));
        }
        let event = self.event(sequence)?;
        Some((log::in_a_line(&event), event.origin))
    }

    /// What time it is at the place.
    pub(super) fn at(&self) -> Timestamp {
        self.travel.at()
    }

    /// Milliseconds from the first event to the place.
    pub(super) fn since_beginning(&self) -> u64 {
        self.at().saturating_sub(self.began_at)
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
        let nodes = self.folds.at(self.travel.log(), place);
        (&self.picture, &self.layers, nodes)
    }

    /// The status at the place, as the log says it. Of a log that was tampered with, that it
    /// was, at every place.
    pub(super) fn standing(&self) -> (Text, Paint) {
        if let Some(sequence) = self.tampered_at {
            return (
                text!("tampered at {}", sequence),
                Paint::of_status(Status::Failed),
            );
        }
        let sequence = self.sequence();
        let behind = self.statuses.partition_point(|(from, _)| *from <= sequence);
        let status = self.statuses[behind - 1].1;
        (text!("{}", names::status(status)), Paint::of_status(status))
    }

    /// Lists only these events.
    pub(super) fn list(&mut self, filter: Filter) {
        self.listed = None;
        if !filter.is_empty() {
            let log = self.travel.log();
            let nodes = Nodes::of(log.all());
            let listed = log.all().filter(|it| filter.lists(it, &nodes));
            self.listed = Some(listed.map(|it| it.sequence).collect());
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
    /// of the chosen node, which may be kept when the place moves. Whether more is known of
    /// them now. Places about this one are asked for ahead.
    pub(super) fn ask(&mut self, is_kept: bool) -> bool {
        let node = self.node.clone();
        self.answers
            .ask(&mut self.travel, &Choice { node, is_kept })
    }

    /// Whether what was asked ahead is answered, and not taken yet.
    #[cfg(test)]
    pub(super) fn is_answered_ahead(&self) -> bool {
        self.answers.is_answered_ahead()
    }

    /// Waits until nothing is asked ahead. Whether something was.
    #[cfg(test)]
    pub(super) fn wait(&mut self) -> bool {
        self.answers.wait(self.travel.sequence())
    }

    /// The state as it was last asked for, and whether that was at this place.
    pub(super) fn state(&self) -> (Option<&State>, bool) {
        self.answers.state(self.sequence())
    }

    /// Why the chosen node is where it is; `None` if that is not known yet.
    pub(super) fn explanation(&self) -> Option<&Result<Explanation, String>> {
        self.answers
            .explanation(self.sequence(), self.node.as_deref())
    }

    /// Chooses the node that the event at the place is about, if it is about one.
    pub(in crate::cli) fn choose_node_of_event(&mut self) -> bool {
        let event = self.travel.log().outline(self.sequence());
        let node = event.and_then(|event| node_of(&event.kind).map(str::to_owned));
        let Some(node) = node else {
            return false;
        };
        self.node = Some(node);
        true
    }

    /// The last child that the chosen node has asked for up to the place.
    pub(super) fn child(&self) -> Option<ExecutionId> {
        let node = self.node.as_deref()?;
        let place = self.sequence();
        let log = self.travel.log();
        let mut events = (1..=place).rev().filter_map(|it| log.outline(it));
        events.find_map(|event| match event.kind {
            EventKind::ChildRequested(it) if it.node_id == node => Some(ExecutionId::of_child(
                self.id,
                node,
                it.attempt,
                it.iteration,
            )),
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
