//! Which events are listed.

use refrain::log::kind_name;
use refrain::model::Event;
use refrain::replay::nodes::Nodes;
use refrain::replay::{is_failure, node_of};

use crate::cli::log;

/// What an event must be to be listed. All that is asked for must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    failed: bool,
    node: Option<String>,
    queue: Option<String>,
    kind: Option<String>,
    words: Vec<String>,
}

impl Filter {
    /// The filter of a line such as `failed node=charge refund`.
    pub(super) fn of(line: &str) -> Self {
        let mut filter = Self::default();
        for word in line.split_whitespace() {
            match word.split_once('=') {
                Some(("node", id)) => filter.node = Some(id.to_owned()),
                Some(("queue", name)) => filter.queue = Some(name.to_owned()),
                Some(("kind", name)) => filter.kind = Some(name.to_owned()),
                None if word == "failed" => filter.failed = true,
                _ => filter.words.push(word.to_lowercase()),
            }
        }
        filter
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this event is listed. `nodes` says on which queue the work of a node is.
    pub(super) fn lists(&self, event: &Event, nodes: &Nodes) -> bool {
        let of_node = node_of(&event.kind);
        let is_of_queue = |queue: &String| {
            let node = of_node.and_then(|id| nodes.named(id));
            node.and_then(|node| node.queue.as_ref()) == Some(queue)
        };
        (!self.failed || is_failure(&event.kind))
            && self
                .node
                .as_ref()
                .is_none_or(|id| of_node.is_some_and(|it| log::is_of(it, id)))
            && self.queue.as_ref().is_none_or(is_of_queue)
            && self
                .kind
                .as_ref()
                .is_none_or(|kind| kind_name(&event.kind).contains(kind.as_str()))
            && has_words(event, &self.words)
    }
}

/// Whether an event's line has all of these words, in whatever case.
pub(super) fn has_words(event: &Event, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let line = log::in_words(event).as_str().to_lowercase();
    words.iter().all(|word| line.contains(word))
}
