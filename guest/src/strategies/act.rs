//! A choice is said in the words of the notation, where there is something
//! that it can mean.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::choice::{Act, Often, Outcome, Patch, Pick};
use super::kind::KEYS;
use super::player::Player;
use crate::contract::NodeState;
use crate::guards::is_held;
use crate::instance::RunIx;
use crate::limits::RELEASES_MAX;
use crate::node::is_settled;
use crate::notation::ItemState;
use crate::state::{Instances, NodeRecord};
use crate::workflow::END;
use crate::workflow::plan::{Gives, Kind, Node, NodeIx};

/// The action; none where it means nothing. Whether it is legal is for the
/// machine to say.
pub(super) fn said(act: &Act, player: &Player) -> Option<String> {
    Some(match act {
        Act::Claim(pick) => format!("claim {}", one_of(&claimable(player), *pick)?),
        Act::Complete(pick, outcome) => {
            let node = one_of(&answerable(player), *pick)?;
            format!(
                "complete {node}{}",
                result_said(outcome, &targets(player, node))
            )
        }
        Act::Fail(pick, class, fatal) => {
            let node = one_of(&answerable(player), *pick)?;
            let class = class.map_or(String::new(), |class| format!(" {class}"));
            format!("fail {node}{class}{}", if *fatal { " fatal" } else { "" })
        }
        Act::Expire(pick) => format!("expire {}", one_of(&answerable(player), *pick)?),
        Act::GiveBack(pick, often) => give_back(player, *pick, *often)?,
        Act::Approve(pick, patch) => {
            format!(
                "approve {}{}",
                one_of(&approvals(player), *pick)?,
                patch_said(*patch)
            )
        }
        Act::Reject(pick) => {
            format!("reject {} by=bob", one_of(&approvals(player), *pick)?)
        }
        Act::Signal(pick, patch) => {
            let payload = match patch {
                Patch::None => " [1]".to_string(),
                patch => patch_said(*patch),
            };
            format!("signal {}{payload}", one_of(&KEYS, *pick)?)
        }
        Act::Child(pick, patch) => child_said(player, *pick, *patch)?,
        Act::Pause => "pause".to_string(),
        Act::Stall => "stall".to_string(),
        Act::Release(pick) => release(player, *pick)?,
        Act::Retry(pick) => format!("retry {}", name_of(&failed(player), *pick)?),
        Act::Skip(pick) => format!("skip {}", name_of(&unsettled(player), *pick)?),
        Act::Cancel => "cancel why=enough".to_string(),
        Act::ChangeGuest(pick) => format!("guest {}", pick % 10),
    })
}

/// What becomes of a child that a node waits for.
fn child_said(player: &Player, pick: Pick, patch: Patch) -> Option<String> {
    let node = one_of(&parents(player), pick / 8)?;
    let is_begun = player.world.children.get(node)?.id.is_some();
    if is_detached(player, node) {
        return Some(format!("begin {node}"));
    }
    Some(match pick % 8 {
        0 | 1 if !is_begun => format!("begin {node}"),
        0 if patch == Patch::None => format!("end {node} cancelled"),
        1 | 2 => format!("end {node} failed why=boom"),
        3 if !is_begun => format!("deny {node} unknown_workflow"),
        _ => format!("end {node}{}", patch_said(patch)),
    })
}

/// Whether nobody waits for the end of the node's child.
pub(super) fn is_detached(player: &Player, node_id: &str) -> bool {
    let run = player.machine.find(node_id).ok();
    let subgraph = run.and_then(|run| player.machine.subgraph(run));
    subgraph.is_some_and(|it| it.gives == Gives::Detached)
}

/// Nodes and instances that wait for a child.
pub(super) fn parents(player: &Player) -> Vec<&str> {
    let children = player.world.children.values().filter(|child| {
        let run = player.machine.find(&child.order.name.node_id);
        let record = run.map(|run| player.machine.record(run));
        child.is_open && record.is_ok_and(|record| record.state == NodeState::Waiting)
    });
    let names = children.map(|child| child.order.name.node_id.as_str());
    names.collect()
}

pub(super) fn result_said(outcome: &Outcome, targets: &[&str]) -> String {
    let chosen = outcome.chosen.and_then(|pick| one_of(targets, pick));
    let mut said = patch_said(outcome.patch);
    if let Some(target) = chosen {
        said.push_str(&format!(" choose={target}"));
    }
    if outcome.is_talkative {
        said.push_str(r#" output={"n":1.0} tokens=12+3 telemetry={"cost_usd":0.250,"by":[]}"#);
    }
    said
}

fn patch_said(patch: Patch) -> String {
    match patch {
        Patch::None => String::new(),
        Patch::Key(key, value) => format!(" {{\"k{key}\":{value}}}"),
        Patch::List => r#" {"list":[1,2,3]}"#.to_string(),
    }
}

pub(super) fn one_of<T: Copy>(those: &[T], pick: Pick) -> Option<T> {
    let place = usize::from(pick).checked_rem(those.len())?;
    Some(those[place])
}

// ---- whom an action could be about; in an order that depends on nothing else ----

/// Nodes whose item nobody has claimed, and somebody could.
pub(super) fn claimable(player: &Player) -> Vec<&str> {
    let now = player.world.now;
    let items = player.world.waiting().filter(|item| item.not_before <= now);
    items.map(|item| item.node_id.as_str()).collect()
}

/// Nodes whose attempt could be answered, some after a claim.
pub(super) fn answerable(player: &Player) -> Vec<&str> {
    let now = player.world.now;
    let items = player.world.items.values();
    let open = items.filter(|item| match item.state {
        ItemState::Claimed(_) => true,
        ItemState::Waiting => item.item.not_before <= now,
        ItemState::Settled => false,
    });
    open.map(|item| item.item.node_id.as_str()).collect()
}

/// Nodes that wait for a person.
pub(super) fn approvals(player: &Player) -> Vec<&str> {
    those(player, |node, record| {
        record.state == NodeState::Waiting && matches!(node.kind, Kind::HumanApproval(_))
    })
}

/// A worker gives its item back. No worker can claim it again while the execution is
/// held.
fn give_back(player: &Player, pick: Pick, often: Often) -> Option<String> {
    let node = one_of(&answerable(player), pick)?;
    let given_back = player.world.last_item(node)?.releases;
    Some(match often {
        Often::UntilTheEnd if !is_held(&player.machine) => {
            format!("release {node} times={}", RELEASES_MAX + 1 - given_back)
        }
        Often::UntilTheEnd | Often::Once => format!("release {node} by=w1"),
    })
}

/// What lifts what holds the execution, if anything does.
fn release(player: &Player, pick: Pick) -> Option<String> {
    let state = player.machine.state();
    if state.host_stall.is_some() {
        return Some("lift".to_string());
    }
    if state.paused {
        return Some("unpause".to_string());
    }
    let (on, _) = state.policy_stall.as_ref()?;
    let Some(run) = on else {
        return Some("lift".to_string());
    };
    let verb = one_of(&["retry", "skip"], pick)?;
    Some(format!("{verb} {}", player.machine.node_id(*run)))
}

fn name_of(those: &[String], pick: Pick) -> Option<&String> {
    those.get(usize::from(pick).checked_rem(those.len())?)
}

fn failed(player: &Player) -> Vec<String> {
    runs(player, |record| {
        matches!(record.state, NodeState::Failed | NodeState::Failing)
    })
}

fn unsettled(player: &Player) -> Vec<String> {
    runs(player, |record| {
        !is_settled(record.state) || record.state == NodeState::Failed
    })
}

/// The nodes and instances of which this holds, in the order of rule R2.
fn runs(player: &Player, holds: impl Fn(&NodeRecord) -> bool) -> Vec<String> {
    let (machine, state) = (&player.machine, player.machine.state());
    let nodes = (0..).map(NodeIx).take(state.nodes.len());
    let runs = nodes.flat_map(|ix| {
        let count = state.instances.get(&ix).map_or(0, Instances::count);
        let instances = (0..count).map(move |index| RunIx::of_instance(ix, index));
        [RunIx::from(ix)].into_iter().chain(instances)
    });
    let undo = |run: &RunIx| state.undos.contains_key(run).then(|| run.undo());
    let runs = runs.flat_map(|run| [Some(run), undo(&run)].into_iter().flatten());
    runs.filter(|run| holds(machine.record(*run)))
        .map(|run| machine.node_id(run))
        .collect()
}

/// The nodes of which this holds, in the order of rule R2.
pub(super) fn those(player: &Player, holds: impl Fn(&Node, &NodeRecord) -> bool) -> Vec<&str> {
    let nodes = player.machine.plan().nodes.iter();
    nodes
        .zip(&player.machine.state().nodes)
        .filter(|(node, record)| holds(node, record))
        .map(|(node, _)| node.id.as_str())
        .collect()
}

/// Where a node's choice may lead; that of an instance leads nowhere.
fn targets<'a>(player: &'a Player, node_id: &str) -> Vec<&'a str> {
    let plan = player.machine.plan();
    let Some(ix) = plan.find(node_id) else {
        return Vec::new();
    };
    let edges = plan.nodes[ix.0 as usize].outgoing.clone();
    let edges = edges.map(|edge| &plan.edges[edge as usize]);
    let edges = edges.filter(|edge| edge.on.judges_success());
    let targets = edges.map(|edge| &plan.nodes[edge.to.0 as usize]);
    targets.map(|node| node.id.as_str()).chain([END]).collect()
}
