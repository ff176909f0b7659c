//! Lines that are removed, doubled, moved and cut, and the chain as it was.

use refrain::conformance::Edit;

use super::super::draft::Drafts;
use super::super::source::Source;
use super::SEED;
use crate::dice::Dice;

/// One of so many logs is edited in each way.
const ONE_OF: u64 = 5;

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) {
    let mut dice = Dice::seeded(SEED + 1);
    for source in sources.iter().filter(|it| it.events.len() > 4) {
        let last = source.last_line();
        let mut line = || {
            let events = source.events.len() as u64;
            2 + usize::try_from(dice.below(events)).unwrap_or(0)
        };
        let (first, second, third) = (line(), line(), line());
        let inner = first.clamp(3, last - 1);
        let length = source.lines[second - 1].len();
        let half = third % length;
        let all = [
            ("removed", vec![Edit::Remove { line: inner }]),
            ("first_removed", vec![Edit::Remove { line: 2 }]),
            ("last_removed", vec![Edit::Remove { line: last }]),
            (
                "doubled",
                vec![Edit::Copy {
                    line: second,
                    before: second + 1,
                }],
            ),
            (
                "doubled_at_the_end",
                vec![Edit::Copy {
                    line: inner,
                    before: last + 1,
                }],
            ),
            (
                "swapped",
                vec![Edit::Move {
                    line: inner,
                    before: inner + 1,
                }],
            ),
            (
                "moved_to_the_end",
                vec![Edit::Move {
                    line: inner,
                    before: last,
                }],
            ),
            (
                "replaced_by_another",
                vec![
                    Edit::Copy {
                        line: second,
                        before: inner,
                    },
                    Edit::Remove { line: inner + 1 },
                ],
            ),
            (
                "cut_behind_a_line",
                vec![Edit::Cut {
                    line: inner,
                    bytes: 0,
                }],
            ),
            (
                "cut_within_a_line",
                vec![Edit::Cut {
                    line: second,
                    bytes: half.max(1),
                }],
            ),
            (
                "without_the_last_break",
                vec![Edit::Cut {
                    line: last,
                    bytes: source.lines[last - 1].len(),
                }],
            ),
            (
                "an_empty_line",
                vec![Edit::Insert {
                    before: inner,
                    text: String::new(),
                }],
            ),
            (
                "an_empty_line_at_the_end",
                vec![Edit::Insert {
                    before: last + 1,
                    text: String::new(),
                }],
            ),
        ];
        for (what, edits) in all {
            if dice.chance(1, ONE_OF) {
                drafts.add("lines", source, what, edits);
            }
        }
    }
}
