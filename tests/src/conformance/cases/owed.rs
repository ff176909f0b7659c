//! Logs that end where a turn's budget is said to have cut the scheduler off.

use refrain::conformance::Edit;

use super::super::draft::{Drafts, set};
use super::super::source::Source;
use super::SEED;
use crate::dice::Dice;

/// Places in each log, at most.
const PER_LOG: usize = 3;

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) {
    let mut dice = Dice::seeded(SEED + 4);
    for source in sources.iter().filter(|it| it.events.len() > 8).step_by(2) {
        let decisions = source.lines_where(|event| event["origin"] == "decision");
        for _ in 0..PER_LOG {
            // The log ends before this decision.
            let Some(line) = dice.pick(&decisions).copied() else {
                continue;
            };
            let cut = Edit::Cut { line, bytes: 0 };
            let owed = set(1, "owed_a_step", true);
            let name = format!("owed.{}.before_{line}", source.name);
            drafts.named(name, source, vec![cut.clone(), owed, Edit::Rechain {}]);
            drafts.forge(source, &format!("owes_nothing_before_{line}"), vec![cut]);
        }
        if dice.chance(1, 4) {
            let owed = vec![set(1, "owed_a_step", true)];
            drafts.named(format!("owed.{}.and_whole", source.name), source, owed);
        }
    }
}
