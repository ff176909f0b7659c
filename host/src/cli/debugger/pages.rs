//! Texts that lie over the screen.

use unicode_width::UnicodeWidthStr;

use super::keys;
use super::level::Level;
use super::seen::said;
use crate::cli::json_text;
use crate::cli::log;
use crate::cli::prospect::Told;
use crate::cli::text::Text;
use crate::cli::time::stamp;

/// A text that lies over the screen.
pub(super) struct Page {
    pub(super) title: String,
    lines: Vec<String>,
    pub(super) scroll: usize,
    /// How many rows it took when it was drawn last.
    rows: usize,
}

impl Page {
    fn new(title: String, lines: Vec<String>) -> Self {
        Self {
            title,
            rows: lines.len(),
            lines,
            scroll: 0,
        }
    }

    /// Scrolls by so many rows, up to the last.
    pub(super) fn scroll_by(&mut self, rows: isize) {
        let last = self.rows.saturating_sub(1);
        self.scroll = self.scroll.saturating_add_signed(rows).min(last);
    }

    /// Its rows on a screen of so many columns: long lines go on in further rows.
    pub(super) fn rows(&mut self, columns: usize) -> Vec<String> {
        let lines = self.lines.iter();
        let rows: Vec<String> = lines.flat_map(|line| wrapped(line, columns)).collect();
        self.rows = rows.len();
        self.scroll_by(0);
        rows
    }
}

/// The rows of a line, broken behind spaces where that can be. The further ones stand two
/// columns further to the right.
pub(super) fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start_matches(' ').len() + 2;
    let indent = " ".repeat(indent.min(columns / 2));
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in line.split_inclusive(' ') {
        if row.width() + word.trim_end().width() > columns && !row.trim().is_empty() {
            rows.push(std::mem::replace(&mut row, indent.clone()));
        }
        for c in word.chars() {
            row.push(c);
            if row.trim_end().width() > columns && row.trim_start().chars().count() > 1 {
                row.pop();
                rows.push(std::mem::replace(&mut row, indent.clone()));
                row.push(c);
            }
        }
    }
    rows.push(row);
    rows
}

/// What stands at nodes, keys and events, and what it says.
#[rustfmt::skip]
const MARKS: &[(&str, &str)] = &[
    ("· ○ ▶ ◔ ↻", "a node is pending, may begin or waits for a worker, is at work, waits, waits for its next attempt"),
    ("✓ ✗ – ⊘", "it is completed, failed, skipped, cancelled"),
    ("a→ a← a↔", "an edge leads from a to the chosen node, from the chosen node to a, both ways"),
    ("a #3  a ×3", "a is at its third attempt, in its third iteration"),
    ("a ↩✓", "what undoes a is completed"),
    ("a [✓!▶·]", "the instances of a map, one or several to a sign; ! some of these have failed"),
    ("* key", "the event at the place has changed this key of the state"),
    ("<  >", "an event is a fact that came in, or a decision of the scheduler"),
];

/// The keys, and what they do.
pub(super) fn help() -> Page {
    let line = |(key, words)| format!("{key:<10} {words}");
    let mut lines: Vec<String> = keys::help().map(line).collect();
    lines.extend([String::new(), "what marks say".to_owned()]);
    lines.extend(MARKS.iter().copied().map(line));
    Page::new("keys; ↑↓ scroll, Esc leaves".to_owned(), lines)
}

/// The whole value of the chosen key of the state.
pub(super) fn value(level: &mut Level) -> Result<Page, String> {
    let key = level.key.clone().ok_or("choose a key of the state first")?;
    let value = match level.sequence() {
        0 => None,
        _ => level.travel.value(&key).map_err(said)?,
    };
    let value = value.ok_or_else(|| format!("there is no {key} here"))?;
    let text = json_text::pretty(value.as_str());
    let lines = text.as_str().lines().map(str::to_owned).collect();
    Ok(Page::new(key, lines))
}

/// What the next step would decide at the place.
pub(super) fn next_step(level: &mut Level) -> Result<Page, String> {
    let (at, sequence) = (level.at(), level.sequence());
    if sequence == 0 {
        return Err("before the first event there is nothing to decide".to_owned());
    }
    let step = level.travel.next_step(at).map_err(said)?;
    let mut lines: Vec<String> = step.decisions.iter().map(event_line).collect();
    if lines.is_empty() {
        lines.push("nothing: it waits for something to happen".to_owned());
    }
    if let Some(wake) = step.outcome.next_wake {
        lines.push(format!("it asks to be woken at {}", stamp(wake)));
    }
    Ok(Page::new(
        format!("the next step behind event {sequence}"),
        lines,
    ))
}

/// What would make the chosen node run from the place on.
pub(super) fn what_would_run(level: &mut Level) -> Result<Page, String> {
    let node = level.node.clone().ok_or("choose a node first")?;
    let sequence = level.sequence();
    if sequence == 0 {
        return Err("before the first event nothing waits".to_owned());
    }
    let lines = Told::at(&mut level.travel, &node, 0).page();
    let lines = lines.iter().map(|it| it.as_str().to_owned()).collect();
    let node = Text::word(&node);
    Ok(Page::new(
        format!("{} behind event {sequence}", node.as_str()),
        lines,
    ))
}

fn event_line(event: &refrain::model::Event) -> String {
    log::in_words(event).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_in_further_rows() {
        for (line, rows) in [
            ("", &[""][..]),
            ("a word", &["a word"]),
            ("one two three", &["one two ", "  three"]),
            ("  one two three", &["  one two ", "    three"]),
            ("123456789012345", &["1234567890", "  12345"]),
            ("日本語日本語", &["日本語日本", "  語"]),
        ] {
            assert_eq!(wrapped(line, 10), rows, "{line:?}");
        }
        assert_eq!(
            wrapped("abc", 0).concat(),
            "abc",
            "nothing is lost, nor is it endless"
        );
        let mut page = Page::new(String::new(), vec!["one two three".to_owned()]);
        assert_eq!(page.rows(8), ["one two ", "  three"]);
        page.scroll_by(9);
        assert_eq!(page.scroll, 1);
        page.rows(50);
        assert_eq!(page.scroll, 0, "there is one row by now");
    }
}
