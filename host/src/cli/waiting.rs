//! What an execution waits for that only somebody else can give: workers,
//! approvals, external events; each with the command to type (law 9).

use std::collections::BTreeMap;

use refrain::id::ExecutionId;
use refrain::model::NodeState;
use refrain::queues;
use refrain::replay::nodes::{Nodes, Wait};
use refrain::store::{ItemRecord, ItemState, Timestamp};
use refrain::time::rfc3339;
use serde_json::{Value, json};

use super::database::Database;
use super::text::{Text, text};
use super::time::stamp;

/// Something that an execution waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Work on a queue that no worker has taken yet.
    Worker {
        queue: String,
        nodes: Vec<String>,
        since: Timestamp,
    },
    /// A person's decision.
    Approval {
        node: String,
        question: String,
        since: Timestamp,
        until: Option<Timestamp>,
    },
    /// An external event.
    Signal {
        node: String,
        key: String,
        since: Timestamp,
        until: Option<Timestamp>,
    },
    /// A time.
    Time { node: String, until: Timestamp },
}

/// All that an execution waits for at `now`, work first.
pub(super) fn all(nodes: &Nodes, items: &[ItemRecord], now: Timestamp) -> Vec<Waiting> {
    let mut all: Vec<Waiting> = workers(items, now);
    all.extend(of_nodes(nodes, now));
    all
}

/// The same where only the log is known, and not the queues.
pub(super) fn by_log(nodes: &Nodes, now: Timestamp) -> Vec<Waiting> {
    let scheduled = nodes.iter().filter_map(|node| {
        let is_due = match (node.state, &node.wait) {
            (NodeState::Scheduled, _) => true,
            (NodeState::BackingOff, Some(Wait::Delay { until })) => *until <= now,
            _ => false,
        };
        let queue = node.queue.as_deref().filter(|_| is_due)?;
        Some((queue, node.id.as_str(), node.in_state_since?))
    });
    let mut all = by_queue(scheduled);
    all.extend(of_nodes(nodes, now));
    all
}

/// What nodes wait for besides workers.
fn of_nodes(nodes: &Nodes, now: Timestamp) -> Vec<Waiting> {
    let mut all = Vec::new();
    for node in nodes.iter() {
        let since = node.since.unwrap_or(now);
        let id = node.id.clone();
        match node.wait.clone() {
            Some(Wait::Approval { question, until }) => {
                all.push(Waiting::Approval {
                    node: id,
                    question,
                    since,
                    until,
                });
            }
            Some(Wait::Event {
                key: Some(key),
                until,
            }) => all.push(Waiting::Signal {
                node: id,
                key,
                since,
                until,
            }),
            Some(Wait::Event {
                key: None,
                until: Some(until),
            }) => all.push(Waiting::Time { node: id, until }),
            Some(Wait::Delay { until }) if until > now => {
                all.push(Waiting::Time { node: id, until });
            }
            Some(
                Wait::Event {
                    key: None,
                    until: None,
                }
                | Wait::Delay { .. },
            )
            | None => {}
        }
    }
    all
}

/// Work that could be claimed now, by queue.
fn workers(items: &[ItemRecord], now: Timestamp) -> Vec<Waiting> {
    let claimable = |it: &&ItemRecord| it.state == ItemState::Waiting && it.item.not_before <= now;
    by_queue(items.iter().filter(claimable).map(|record| {
        let ItemRecord {
            item, enqueued_at, ..
        } = record;
        let since = item.not_before.max(*enqueued_at);
        (item.queue.as_str(), item.node_id.as_str(), since)
    }))
}

/// Queues, with the nodes whose work waits there, and since when the first of them does.
fn by_queue<'a>(work: impl Iterator<Item = (&'a str, &'a str, Timestamp)>) -> Vec<Waiting> {
    let mut queues: BTreeMap<&str, (Vec<String>, Timestamp)> = BTreeMap::new();
    for (queue, node, since) in work {
        let (nodes, oldest) = queues.entry(queue).or_insert((Vec::new(), since));
        nodes.push(node.to_owned());
        *oldest = since.min(*oldest);
    }
    let waiting = |(queue, (nodes, since)): (&str, _)| Waiting::Worker {
        queue: queue.to_owned(),
        nodes,
        since,
    };
    queues.into_iter().map(waiting).collect()
}

impl Waiting {
    /// What it waits for at `now`, since when, and what to do about it; nothing of that
    /// without a database. `way` stands before the names of nodes: where the execution is a
    /// child, how it is come by.
    pub(super) fn text<'d>(
        &self,
        way: &str,
        execution: ExecutionId,
        database: impl Into<Option<&'d Database>>,
        now: Timestamp,
    ) -> Text {
        let Some(database) = database.into() else {
            return self.sentence(way, now, false);
        };
        let sentence = self.sentence(way, now, true);
        match self.command(execution, database, now) {
            Some(command) => text!("{}\n  {}", sentence, command),
            None => sentence,
        }
    }

    /// What it waits for, and since when. `is_now`: that is so still.
    fn sentence(&self, way: &str, now: Timestamp, is_now: bool) -> Text {
        match self {
            Self::Worker {
                queue,
                nodes,
                since,
            } => text!(
                "{} {} for a worker of queue {:?} since {}",
                some_of(way, nodes),
                if nodes.len() == 1 { "waits" } else { "wait" },
                queue,
                stamp(*since)
            ),
            Self::Approval {
                node,
                question,
                since,
                until,
            } => {
                let question = if question.is_empty() {
                    Text::new()
                } else {
                    text!(" ({})", Text::lines(question))
                };
                text!(
                    "{}{} waits for an approval{} since {}{}",
                    way,
                    node,
                    question,
                    stamp(*since),
                    deadline(*until, now, is_now)
                )
            }
            Self::Signal {
                node,
                key,
                since,
                until,
            } => text!(
                "{}{} waits for the external event {:?} since {}{}",
                way,
                node,
                key,
                stamp(*since),
                deadline(*until, now, is_now)
            ),
            Self::Time { node, until } => text!("{}{} waits until {}", way, node, stamp(*until)),
        }
    }

    /// What to type about it. `None` if only time helps.
    fn command(&self, execution: ExecutionId, database: &Database, now: Timestamp) -> Option<Text> {
        let id = execution.to_string();
        let resume = || database.command("resume", &[&id]);
        match self {
            Self::Worker { queue, .. } if queues::BUILT_IN.contains(&queue.as_str()) => {
                Some(resume())
            }
            Self::Worker { queue, .. } => Some(database.command_to_serve(queue)),
            Self::Approval { until, .. } | Self::Signal { until, .. } if is_over(*until, now) => {
                Some(resume())
            }
            Self::Approval { node, .. } => Some(database.command("approve", &[&id, node])),
            Self::Signal { key, .. } => Some(database.command("signal", &[&id, key, "{}"])),
            Self::Time { .. } => None,
        }
    }

    /// The node that waits for somebody. `None` of work, and of a time alone.
    pub(super) fn node(&self) -> Option<&str> {
        match self {
            Self::Approval { node, .. } | Self::Signal { node, .. } => Some(node),
            Self::Worker { .. } | Self::Time { .. } => None,
        }
    }

    /// Whether it is what this node waits for.
    pub(super) fn is_of(&self, node_id: &str) -> bool {
        match self {
            Self::Worker { nodes, .. } => nodes.iter().any(|node| node == node_id),
            Self::Approval { node, .. } | Self::Signal { node, .. } | Self::Time { node, .. } => {
                node == node_id
            }
        }
    }

    /// What makes it the same thing when it is looked at again.
    pub(super) fn key(&self, execution: ExecutionId) -> String {
        match self {
            Self::Worker { queue, .. } => format!("{execution} worker {queue}"),
            Self::Approval { node, since, .. } => format!("{execution} approval {node} {since}"),
            Self::Signal {
                node, key, since, ..
            } => format!("{execution} signal {node} {key} {since}"),
            Self::Time { node, until } => format!("{execution} time {node} {until}"),
        }
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        match self {
            Self::Worker {
                queue,
                nodes,
                since,
            } => {
                json!({ "for": "worker", "queue": queue, "nodes": nodes, "since": rfc3339(*since) })
            }
            Self::Approval {
                node,
                question,
                since,
                until,
            } => json!({
                "for": "approval", "node_id": node, "question": question,
                "since": rfc3339(*since), "until": until.and_then(rfc3339),
            }),
            Self::Signal {
                node,
                key,
                since,
                until,
            } => json!({
                "for": "signal", "node_id": node, "key": key,
                "since": rfc3339(*since), "until": until.and_then(rfc3339),
            }),
            Self::Time { node, until } => {
                json!({ "for": "time", "node_id": node, "until": rfc3339(*until) })
            }
        }
    }
}

/// A node, or how many there are and the first of them.
fn some_of(way: &str, nodes: &[String]) -> Text {
    match nodes {
        [node] => text!("{}{}", way, node),
        nodes => {
            let first = nodes.iter().take(3);
            let first = first.map(|node| text!("{}{}", way, node));
            let rest = if nodes.len() > 3 { ", …" } else { "" };
            text!(
                "{} nodes ({}{})",
                nodes.len(),
                Text::joined(first, ", "),
                rest
            )
        }
    }
}

/// Until when it waits. Where that is over, nobody has worked on it since. `is_now`: that is
/// so still.
fn deadline(until: Option<Timestamp>, now: Timestamp, is_now: bool) -> Text {
    let Some(at) = until else {
        return Text::new();
    };
    match is_now && is_over(until, now) {
        true => text!(
            ", until {}, which has passed: what follows is decided as soon as this works on it:",
            stamp(at)
        ),
        false => text!(", until {}", stamp(at)),
    }
}

fn is_over(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| until <= now)
}
