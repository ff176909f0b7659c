//! A history is forked: what follows is that of another execution, which has the first
//! events in common with it (law 11).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::act::{one_of, result_said};
use super::choice::{Fork, Pick};
use super::player::Player;
use crate::contract::{Event, EventKind, Origin};
use crate::notation::ItemState;

/// What a person says who forks the execution at a place that is chosen: each is an
/// action, and the first is `cut`.
pub(super) fn fork(player: &mut Player, chosen: &Fork) {
    let places = places(&player.world.events, player.undecided_at);
    let common = one_of(&places, chosen.place).expect("event 1 is such a place");
    player.cut(common);
    for (pick, outcome) in &chosen.edits {
        if let Some(node) = claimed(player, *pick) {
            let result = result_said(outcome, &[]);
            player.act(&format!("complete {node}{result} edited=ada"));
        }
    }
    assert!(player.act("fork by=ada"), "law 11: a fork goes its own way");
}

/// Behind which events a log may be forked: not behind an end, and never between what
/// was decided at one time. Nor is a fork that goes its own way where something was not
/// decided forked behind that place: who plays the turns of its history one by one would
/// decide it there. The latest come first, so that choices shrink to them.
fn places(log: &[Event], undecided_at: Option<usize>) -> Vec<usize> {
    let may = |common: &usize| {
        let (last, next) = (&log[common - 1], log.get(*common));
        let is_decision = |event: &Event| event.origin == Origin::Decision;
        let is_apart =
            next.is_some_and(|next| is_decision(last) && is_decision(next) && last.at == next.at);
        !is_apart && !is_end(&last.kind)
    };
    let last = undecided_at.unwrap_or(log.len());
    (1..=last).rev().filter(may).collect()
}

fn is_end(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::WorkflowCompleted(_)
            | EventKind::WorkflowFailed(_)
            | EventKind::WorkflowCancelled(_)
    )
}

/// A node that a worker had claimed where the log was cut.
fn claimed(player: &Player, pick: Pick) -> Option<String> {
    let items = player.world.items.values();
    let claimed = items.filter(|item| matches!(item.state, ItemState::Claimed(_)));
    let nodes: Vec<&str> = claimed.map(|item| item.item.node_id.as_str()).collect();
    one_of(&nodes, pick).map(String::from)
}
