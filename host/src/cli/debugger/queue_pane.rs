//! The queue, the workers and the timers at the place.

use ratatui::text::{Line, Span};
use refrain::model::NodeState;
use refrain::picture::sign;
use refrain::replay::nodes::{Node, Wait};
use refrain::store::Timestamp;

use super::level::Level;
use super::styles::Styles;
use crate::cli::text::{Text, text};
use crate::cli::time::{span, stamp};

/// A line for each node that is under way; so many at most.
pub(super) fn shown(level: &mut Level, styles: Styles, max: usize) -> Vec<Line<'static>> {
    let at = level.at();
    let mut under_way: Vec<Node> = level
        .nodes()
        .iter()
        .filter(|it| is_under_way(it))
        .cloned()
        .collect();
    under_way.sort_by_key(|node| order(node.state));
    let more = under_way.len().saturating_sub(max);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for node in under_way.iter().take(max) {
        let said = match node.state {
            NodeState::Running => match &node.worker_id {
                Some(worker) => text!("at work: {}, for {}", worker.as_str(), since(node, at)),
                None => text!("at work for {}", since(node, at)),
            },
            _ => waits(node, at),
        };
        let id = Text::word(&node.id);
        lines.push(Line::from(vec![
            Span::styled(sign(node.state), styles.of_node(node.state)),
            Span::raw(format!(" {}  {}", id.as_str(), said.as_str())),
        ]));
    }
    if more > 0 {
        lines.push(Line::styled(format!("and {more} more"), styles.faint()));
    }
    if lines.is_empty() {
        lines.push(Line::styled("nothing is under way", styles.faint()));
    }
    lines
}

/// A map waits for its instances, which are shown themselves.
fn is_under_way(node: &Node) -> bool {
    let waits = matches!(
        node.state,
        NodeState::Ready
            | NodeState::Scheduled
            | NodeState::Running
            | NodeState::BackingOff
            | NodeState::Waiting
            | NodeState::Failing
    );
    waits && node.instances.is_none()
}

fn order(state: NodeState) -> u8 {
    match state {
        NodeState::Running => 0,
        NodeState::Ready | NodeState::Scheduled => 1,
        NodeState::BackingOff | NodeState::Failing => 2,
        _ => 3,
    }
}

fn since(node: &Node, at: Timestamp) -> String {
    span(at.saturating_sub(node.in_state_since.unwrap_or(at)))
}

/// What a node waits for that is not at work.
fn waits(node: &Node, at: Timestamp) -> Text {
    let until = |until: &Option<Timestamp>| match until {
        Some(until) => text!(
            " until {} (in {})",
            stamp(*until),
            span(until.saturating_sub(at))
        ),
        None => Text::new(),
    };
    match (&node.wait, &node.queue) {
        (
            Some(Wait::Approval {
                question,
                until: end,
            }),
            _,
        ) => {
            text!("a person: {}{}", question.as_str(), until(end))
        }
        (
            Some(Wait::Event {
                key: Some(key),
                until: end,
            }),
            _,
        ) => {
            text!("the signal {}{}", key.as_str(), until(end))
        }
        (
            Some(Wait::Event {
                key: None,
                until: end,
            }),
            _,
        ) => text!("a time{}", until(end)),
        (Some(Wait::Delay { until: end }), _) => {
            text!("attempt {}{}", node.attempts, until(&Some(*end)))
        }
        (None, _) if node.child => text!("its child, for {}", since(node, at)),
        (None, Some(queue)) => text!("on queue {}, for {}", queue.as_str(), since(node, at)),
        (None, None) => text!("for {}", since(node, at)),
    }
}
