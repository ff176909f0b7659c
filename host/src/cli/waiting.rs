//! What an execution waits for that only somebody else can give: workers,
//! approvals, external events; each with the command to type (law 9).

use std::collections::BTreeMap;

use refrain::id::ExecutionId;
use refrain::log::time::rfc3339;
use refrain::store::{ItemRecord, ItemState, Timestamp};
use serde_json::{Value, json};

use super::nodes::{Nodes, Wait};
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
    let mut queues: BTreeMap<&str, (Vec<String>, Timestamp)> = BTreeMap::new();
    for ItemRecord {
        item,
        enqueued_at,
        state,
    } in items
    {
        if *state == ItemState::Waiting && item.not_before <= now {
            let since = item.not_before.max(*enqueued_at);
            let (nodes, oldest) = queues
                .entry(&item.queue_type)
                .or_insert((Vec::new(), since));
            nodes.push(item.node_id.clone());
            *oldest = since.min(*oldest);
        }
    }
    let waiting = |(queue, (nodes, since)): (&str, _)| Waiting::Worker {
        queue: queue.to_owned(),
        nodes,
        since,
    };
    queues.into_iter().map(waiting).collect()
}

impl Waiting {
    /// What it waits for, since when, and what to do about it. `database` is
    /// how a command names the database.
    pub(super) fn text(&self, execution: ExecutionId, database: &str) -> String {
        match self {
            Self::Worker {
                queue,
                nodes,
                since,
            } => {
                let work = match nodes.as_slice() {
                    [node] => node.clone(),
                    nodes => format!(
                        "{} nodes ({}{})",
                        nodes.len(),
                        nodes[..nodes.len().min(3)].join(", "),
                        if nodes.len() > 3 { ", …" } else { "" }
                    ),
                };
                format!(
                    "{work} waits for a worker of queue {queue:?} since {}",
                    stamp(*since)
                )
            }
            Self::Approval {
                node,
                question,
                since,
                until,
            } => {
                let question = if question.is_empty() {
                    String::new()
                } else {
                    format!(" ({question})")
                };
                format!(
                    "{node} waits for an approval{question} since {}{}\n  refrain approve {execution} {}{database}",
                    stamp(*since),
                    deadline(*until),
                    quoted(node)
                )
            }
            Self::Signal {
                node,
                key,
                since,
                until,
            } => format!(
                "{node} waits for the external event {key:?} since {}{}\n  refrain signal {execution} {} '{{}}'{database}",
                stamp(*since),
                deadline(*until),
                quoted(key)
            ),
            Self::Time { node, until } => format!("{node} waits until {}", stamp(*until)),
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

fn deadline(until: Option<Timestamp>) -> String {
    until.map_or(String::new(), |until| format!(", until {}", stamp(until)))
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_the_shell() {
        for (word, text) in [
            ("a-b", "a-b"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(word), text);
        }
    }
}
