//! Choices become a history: each is said in words where it is made, and
//! happens if it is legal.

use proptest::prelude::*;

use super::act::said;
use super::calm::finished;
use super::choice::{Act, Choices, choices};
use super::fork::fork;
use super::history::History;
use super::player::Player;
use super::workflow::Workflow;

/// Legal histories of a workflow: starts, results in any order, failures of
/// every class, expired leases, persons, external events, operators, clocks
/// that are set, forks. Some go on until the execution has ended, most do not.
pub fn facts(workflow: &Workflow) -> impl Strategy<Value = History> + use<> {
    histories(Just(workflow.clone()))
}

/// Legal histories of such workflows.
pub fn histories(workflows: impl Strategy<Value = Workflow>) -> impl Strategy<Value = History> {
    let ends = prop::bool::weighted(0.3);
    (workflows, choices().boxed(), ends).prop_map(|(workflow, choices, ends)| {
        let history = play(Player::start(&workflow), &choices);
        if ends { finished(history) } else { history }
    })
}

/// The execution of a workflow that was started, and nothing else:
/// what [`finished`] can go on with.
#[must_use]
pub fn begun(workflow: &Workflow) -> History {
    play(Player::start(workflow), &[])
}

/// Event 1 begins the first turn; what is chosen for it follows.
fn play(mut player: Player, choices: &[Choices]) -> History {
    let (first, rest) = match choices {
        [first, rest @ ..] => (first.acts.as_slice(), rest),
        [] => (&[][..], &[][..]),
    };
    take(&mut player, first);
    for turn in rest {
        if player.has_ended() && turn.fork.is_none() {
            break;
        }
        player.wait(turn.clock);
        player.begin_turn();
        if let Some(chosen) = &turn.fork {
            fork(&mut player, chosen);
        }
        take(&mut player, &turn.acts);
    }
    player.into_history()
}

/// What happens in a turn, as far as it is legal, and what follows from it.
fn take(player: &mut Player, acts: &[Act]) {
    for act in acts {
        if let Some(text) = said(act, player) {
            player.act(&text);
        }
    }
    player.decide();
}
