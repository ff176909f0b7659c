//! A choice is said in the words of the notation, where there is something
//! that it can mean.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::choice::{Act, Outcome, Patch, Pick};
use super::kind::KEYS;
use super::player::Player;
use crate::contract::NodeState;
use crate::node::is_settled;
use crate::notation::ItemState;
use crate::state::NodeRecord;
use crate::workflow::END;
use crate::workflow::plan::{Kind, Node};

impl Act {
    /// The action; none where it means nothing. Whether it is legal is for the
    /// machine to say.
    pub(super) fn said(&self, player: &Player) -> Option<String> {
        Some(match self {
            Self::Claim(pick) => format!("claim {}", one_of(&player.claimable(), *pick)?),
            Self::Complete(pick, outcome) => {
                let node = one_of(&player.answerable(), *pick)?;
                format!("complete {node}{}", outcome.said(&player.targets(node)))
            }
            Self::Fail(pick, class, fatal) => {
                let node = one_of(&player.answerable(), *pick)?;
                let class = class.map_or(String::new(), |class| format!(" {class}"));
                format!("fail {node}{class}{}", if *fatal { " fatal" } else { "" })
            }
            Self::Expire(pick) => format!("expire {}", one_of(&player.answerable(), *pick)?),
            Self::Approve(pick, patch) => {
                format!(
                    "approve {}{}",
                    one_of(&player.approvals(), *pick)?,
                    patch.said()
                )
            }
            Self::Reject(pick) => {
                format!("reject {} by=bob", one_of(&player.approvals(), *pick)?)
            }
            Self::Signal(pick, patch) => {
                let payload = match patch {
                    Patch::None => " [1]".to_string(),
                    patch => patch.said(),
                };
                format!("signal {}{payload}", one_of(&KEYS, *pick)?)
            }
            Self::Pause => "pause".to_string(),
            Self::Stall => "stall".to_string(),
            Self::Release(pick) => player.release(*pick)?,
            Self::Retry(pick) => format!("retry {}", one_of(&player.failed(), *pick)?),
            Self::Skip(pick) => format!("skip {}", one_of(&player.unsettled(), *pick)?),
            Self::Cancel => "cancel why=enough".to_string(),
            Self::ChangeGuest(pick) => format!("guest {}", pick % 10),
        })
    }
}

impl Outcome {
    fn said(&self, targets: &[&str]) -> String {
        let chosen = self.chosen.and_then(|pick| one_of(targets, pick));
        let mut said = self.patch.said();
        if let Some(target) = chosen {
            said.push_str(&format!(" choose={target}"));
        }
        if self.is_talkative {
            said.push_str(r#" output={"n":1.0} telemetry={"gen_ai_model":"m","input_tokens":12,"cost_usd":"0.250"}"#);
        }
        said
    }
}

impl Patch {
    fn said(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Key(key, value) => format!(" {{\"k{key}\":{value}}}"),
            Self::List => r#" {"list":[1,2,3]}"#.to_string(),
        }
    }
}

fn one_of<T: Copy>(those: &[T], pick: Pick) -> Option<T> {
    let place = usize::from(pick).checked_rem(those.len())?;
    Some(those[place])
}

/// Whom an action could be about; in an order that depends on nothing else.
impl Player {
    /// Nodes whose item nobody has claimed, and somebody could.
    pub(super) fn claimable(&self) -> Vec<&str> {
        let now = self.world.now;
        let items = self.world.waiting().filter(|item| item.not_before <= now);
        items.map(|item| item.node_id.as_str()).collect()
    }

    /// Nodes whose attempt could be answered, some after a claim.
    pub(super) fn answerable(&self) -> Vec<&str> {
        let now = self.world.now;
        let items = self.world.items.values();
        let open = items.filter(|item| match item.state {
            ItemState::Claimed(_) => true,
            ItemState::Waiting => item.item.not_before <= now,
            ItemState::Settled => false,
        });
        open.map(|item| item.item.node_id.as_str()).collect()
    }

    /// Nodes that wait for a person.
    pub(super) fn approvals(&self) -> Vec<&str> {
        self.those(|node, record| {
            record.state == NodeState::Waiting && matches!(node.kind, Kind::HumanApproval(_))
        })
    }

    /// What lifts what holds the execution, if anything does.
    fn release(&self, pick: Pick) -> Option<String> {
        let state = self.machine.state();
        if state.host_stall.is_some() {
            return Some("lift".to_string());
        }
        if state.paused {
            return Some("unpause".to_string());
        }
        let (ix, _) = state.policy_stall.as_ref()?;
        let verb = one_of(&["retry", "skip"], pick)?;
        Some(format!(
            "{verb} {}",
            self.machine.plan().nodes[ix.0 as usize].id
        ))
    }

    fn failed(&self) -> Vec<&str> {
        self.those(|_, record| matches!(record.state, NodeState::Failed | NodeState::Failing))
    }

    fn unsettled(&self) -> Vec<&str> {
        self.those(|_, record| !is_settled(record.state) || record.state == NodeState::Failed)
    }

    /// The nodes of which this holds, in the order of rule R2.
    pub(super) fn those(&self, holds: impl Fn(&Node, &NodeRecord) -> bool) -> Vec<&str> {
        let nodes = self.machine.plan().nodes.iter();
        nodes
            .zip(&self.machine.state().nodes)
            .filter(|(node, record)| holds(node, record))
            .map(|(node, _)| node.id.as_str())
            .collect()
    }

    /// Where a node's choice may lead.
    fn targets(&self, node_id: &str) -> Vec<&str> {
        let plan = self.machine.plan();
        let node = plan.find(node_id).map(|ix| &plan.nodes[ix.0 as usize]);
        let edges = node.into_iter().flat_map(|node| node.outgoing.clone());
        let targets = edges.map(|edge| &plan.nodes[plan.edges[edge as usize].to.0 as usize]);
        targets.map(|node| node.id.as_str()).chain([END]).collect()
    }
}
