//! A history goes on in peace, until its execution has ended.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::act::{answerable, approvals, is_detached, parents};
use super::history::History;
use super::player::Player;
use crate::contract::NodeState;
use crate::guards::correlation_key;
use crate::time::Millis;
use crate::workflow::plan::{Kind, NodeIx};

/// The same history, gone on with until the execution has ended: each hold
/// is lifted, each item done, each wait answered, and time passes.
///
/// # Panics
/// Where it does not end within so many turns as it can need: then law 9
/// does not hold.
#[must_use]
pub fn finished(history: History) -> History {
    let mut player = Player::resume(history);
    // Each turn settles a node, or lets time pass up to a moment at which
    // one can be settled; an attempt or two may fail by timeouts.
    let plan = player.machine.plan();
    let maps = plan
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, Kind::Map(_)));
    // No generated map has more elements, and no generated child is repeated more often.
    let turns_max = 20 + 10 * (3 * plan.nodes.len() + 300 * maps.count());
    for _ in 0..turns_max {
        if player.has_ended() {
            return player.into_history();
        }
        let span = match peaceful(&player).is_empty() {
            true => player.until_something(),
            false => None,
        };
        player.pass(span.unwrap_or(Millis(1)));
        player.begin_turn();
        for action in peaceful(&player) {
            player.act(&action);
        }
        player.decide();
    }
    let history = player.into_history();
    panic!("law 9: after {turns_max} turns in peace it has not ended:\n{history}");
}

/// All that a patient world would do now.
fn peaceful(player: &Player) -> Vec<String> {
    let state = player.machine.state();
    let mut actions = Vec::new();
    actions.extend(state.host_stall.is_some().then(|| String::from("lift")));
    actions.extend(state.paused.then(|| String::from("unpause")));
    actions.extend(state.policy_stall.iter().map(|(on, _)| match on {
        Some(run) => format!("skip {}", player.machine.node_id(*run)),
        None => String::from("lift"),
    }));
    let answers = |verb: &str, nodes: Vec<&str>| -> Vec<String> {
        nodes.iter().map(|node| format!("{verb} {node}")).collect()
    };
    actions.extend(answers("complete", answerable(player)));
    actions.extend(answers("approve", approvals(player)));
    let children = parents(player).into_iter();
    let (left, awaited) = children.partition(|node| is_detached(player, node));
    actions.extend(answers("begin", left));
    actions.extend(answers("end", awaited));
    let machine = &player.machine;
    let waits = |ix: NodeIx| match &machine.node(ix).kind {
        Kind::Wait(wait) => correlation_key(machine, ix, wait).ok().flatten(),
        _ => None,
    };
    let keys = (0..)
        .zip(&state.nodes)
        .filter(|(_, record)| record.state == NodeState::Waiting)
        .filter_map(|(index, _)| waits(NodeIx(index)));
    actions.extend(keys.map(|key| format!("signal {key} {{}}")));
    actions
}
