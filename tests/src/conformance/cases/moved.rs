//! Events that are removed, doubled, moved, or of another time, by somebody who knows how to
//! make a chain whole: numbers, fences and hashes are what they should be.

use refrain::conformance::Edit;
use refrain::time::{parse_rfc3339, rfc3339};
use serde_json::Value;

use super::super::draft::{Drafts, set};
use super::super::source::Source;
use super::SEED;
use crate::dice::Dice;

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) {
    let mut dice = Dice::seeded(SEED + 2);
    for source in sources.iter().filter(|it| it.events.len() > 4) {
        removed(drafts, &mut dice, source);
        doubled(drafts, &mut dice, source);
        moved(drafts, &mut dice, source);
        timed(drafts, &mut dice, source);
        ended(drafts, &mut dice, source);
    }
}

fn is_decision(event: &Value) -> bool {
    event["origin"] == "decision"
}

/// A decision, or a fact, of the log.
fn one(dice: &mut Dice, source: &Source, decision: bool) -> Option<usize> {
    let lines = source
        .lines_where(|event| is_decision(event) == decision && event["type"] != "workflow_started");
    dice.pick(&lines).copied()
}

fn anew(drafts: &mut Drafts, source: &Source, what: &str, mut edits: Vec<Edit>) {
    edits.push(Edit::Renumber {});
    drafts.forge(source, what, edits);
}

fn removed(drafts: &mut Drafts, dice: &mut Dice, source: &Source) {
    for (decision, word, times) in [(true, "decision", 2), (false, "fact", 2)] {
        for _ in 0..times {
            if let Some(line) = one(dice, source, decision) {
                let what = format!("{word}_removed_{line}");
                anew(drafts, source, &what, vec![Edit::Remove { line }]);
            }
        }
    }
    // All decisions of one time, or all but the first.
    if let Some(line) = one(dice, source, true) {
        let at = &source.event(line)["at"];
        let batch = source.lines_where(|event| is_decision(event) && event["at"] == *at);
        let remove = |lines: &[usize]| -> Vec<Edit> {
            let lines = lines.iter().rev();
            lines.map(|line| Edit::Remove { line: *line }).collect()
        };
        anew(
            drafts,
            source,
            &format!("batch_removed_{line}"),
            remove(&batch),
        );
        if batch.len() > 1 {
            let what = format!("batch_cut_{line}");
            anew(drafts, source, &what, remove(&batch[1..]));
        }
    }
}

fn doubled(drafts: &mut Drafts, dice: &mut Dice, source: &Source) {
    let last = source.last_line();
    for (decision, word) in [(true, "decision"), (false, "fact")] {
        if let Some(line) = one(dice, source, decision) {
            let copy = Edit::Copy {
                line,
                before: line + 1,
            };
            anew(
                drafts,
                source,
                &format!("{word}_doubled_{line}"),
                vec![copy],
            );
        }
        if let Some(line) = one(dice, source, decision) {
            let at = source.event(last)["at"].clone();
            let edits = vec![Edit::Copy { line, before: last }, set(last, "at", at)];
            anew(drafts, source, &format!("{word}_again_{line}"), edits);
        }
    }
}

/// Two neighbours change their places; their times stay where they were.
fn moved(drafts: &mut Drafts, dice: &mut Dice, source: &Source) {
    let swap = |line: usize| {
        let [first, second] = [line, line + 1].map(|it| source.event(it)["at"].clone());
        vec![
            Edit::Move {
                line,
                before: line + 1,
            },
            set(line, "at", first),
            set(line + 1, "at", second),
        ]
    };
    let pairs: Vec<usize> = (3..source.last_line()).collect();
    let of_decisions: Vec<usize> = pairs
        .iter()
        .copied()
        .filter(|line| {
            [*line, line + 1]
                .iter()
                .all(|it| is_decision(source.event(*it)))
        })
        .collect();
    let mixed: Vec<usize> = pairs
        .iter()
        .copied()
        .filter(|line| is_decision(source.event(*line)) != is_decision(source.event(line + 1)))
        .collect();
    for (word, places) in [("decisions", of_decisions), ("neighbours", mixed)] {
        if let Some(line) = dice.pick(&places).copied() {
            anew(
                drafts,
                source,
                &format!("{word}_swapped_{line}"),
                swap(line),
            );
        }
    }
    if let Some(line) = one(dice, source, false).filter(|line| *line > 3) {
        let at = source.event(3)["at"].clone();
        let edits = vec![Edit::Move { line, before: 3 }, set(3, "at", at)];
        anew(drafts, source, &format!("fact_first_{line}"), edits);
    }
}

/// Events at other times.
fn timed(drafts: &mut Drafts, dice: &mut Dice, source: &Source) {
    let at = |line: usize| source.event(line)["at"].as_str().and_then(parse_rfc3339);
    let stamp = |time: u64| Value::from(rfc3339(time).unwrap_or_default());
    let lines: Vec<usize> = (3..=source.last_line()).collect();
    if let Some(line) = dice.pick(&lines).copied()
        && let Some(time) = at(line - 1)
    {
        // Before the event before it.
        let edit = set(line, "at", stamp(time.saturating_sub(1)));
        drafts.forge(source, &format!("earlier_{line}"), vec![edit]);
    }
    // From here on all is later: time goes on, and what should have been decided is not.
    if let Some(from) = dice.pick(&lines).copied() {
        let edits = (from..=source.last_line())
            .filter_map(|line| Some(set(line, "at", stamp(at(line)? + 90_000))));
        let edits = edits.collect();
        drafts.forge(source, &format!("later_from_{from}"), edits);
    }
    if let Some(line) = one(dice, source, true)
        && let Some(time) = at(line)
    {
        let next = if line < source.last_line() {
            at(line + 1)
        } else {
            None
        };
        if next.is_none_or(|next| next > time) {
            let edit = set(line, "at", stamp(time + 1));
            drafts.forge(source, &format!("decided_later_{line}"), vec![edit]);
        }
    }
    if let Some(line) = dice.pick(&lines).copied() {
        let other = match is_decision(source.event(line)) {
            true => "fact",
            false => "decision",
        };
        let edit = set(line, "origin", other);
        drafts.forge(source, &format!("of_another_author_{line}"), vec![edit]);
    }
}

/// The log ends earlier, or goes on behind its end.
fn ended(drafts: &mut Drafts, dice: &mut Dice, source: &Source) {
    let last = source.last_line();
    let lines: Vec<usize> = (3..=last).collect();
    for _ in 0..2 {
        if let Some(line) = dice.pick(&lines).copied() {
            let cut = Edit::Cut { line, bytes: 0 };
            drafts.forge(source, &format!("ends_before_{line}"), vec![cut]);
        }
    }
    if !source.has_ended() {
        return;
    }
    let again = Edit::Copy {
        line: last,
        before: last + 1,
    };
    anew(drafts, source, "two_endings", vec![again]);
    if let Some(line) = one(dice, source, false) {
        let at = source.event(last)["at"].clone();
        let edits = vec![
            Edit::Copy {
                line,
                before: last + 1,
            },
            set(last + 1, "at", at),
        ];
        anew(
            drafts,
            source,
            &format!("fact_behind_the_end_{line}"),
            edits,
        );
    }
}
