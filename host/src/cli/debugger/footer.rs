//! The last lines: what is typed, what there is to say, or what can be typed.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::app::{App, Prompt};
use super::keys::{
    HINTS, HINTS_KEPT, HINTS_OF_LINE_BEFORE, HINTS_OF_PAGE, HINTS_OF_PROMPT, Question,
};
use super::pages;
use super::styles::Styles;
use crate::cli::text::Text;

/// What stands at the foot of the screen.
pub(super) struct Shown {
    pub(super) lines: Vec<Line<'static>>,
    /// Columns of the first line before the cursor. `None` if nothing is typed.
    pub(super) typed: Option<usize>,
}

/// The lines on a screen of so many columns.
pub(super) fn shown(app: &App<'_>, columns: usize) -> Shown {
    if let Some(prompt) = &app.prompt {
        return typed(prompt, app.styles, columns);
    }
    let lines = match (&app.message, &app.page) {
        (Some(message), _) => {
            let rows = pages::wrapped(Text::word(message).as_str(), columns).into_iter();
            rows.map(|row| Line::styled(row, app.styles.changed()))
                .collect()
        }
        (None, Some(_)) => vec![hints(HINTS_OF_PAGE, &[], app.styles, columns)],
        (None, None) => vec![hints(HINTS_KEPT, HINTS, app.styles, columns)],
    };
    Shown { lines, typed: None }
}

/// The line that is typed, and below it what keys do with it.
fn typed(prompt: &Prompt, styles: Styles, columns: usize) -> Shown {
    let prefix = prefix(prompt.question);
    let line = Text::word(&prompt.line);
    let style = match prompt.is_of_before {
        true => styles.chosen(),
        false => Style::new(),
    };
    let typed = prefix.width() + line.width();
    let line = Line::from(vec![
        Span::raw(prefix),
        Span::styled(line.as_str().to_owned(), style),
    ]);
    let named = match prompt.is_of_before {
        true => HINTS_OF_LINE_BEFORE,
        false => HINTS_OF_PROMPT,
    };
    Shown {
        lines: vec![line, hints(named, &[], styles, columns)],
        typed: Some(typed),
    }
}

fn prefix(question: Question) -> &'static str {
    match question {
        Question::Sequence => "behind event: ",
        Question::Text => "search: ",
        Question::Condition => "condition, such as state.total > 3: ",
        Question::Filter => "list (failed node=ID queue=Q kind=K words): ",
    }
}

/// These keys at the end of a line, and before them as many others as there is room for.
fn hints(kept: &[&str], others: &[&str], styles: Styles, columns: usize) -> Line<'static> {
    let width = |hint: &str| hint.width() + SPACE.len();
    let mut room = columns + SPACE.len();
    room = room.saturating_sub(kept.iter().map(|it| width(it)).sum());
    let fits = |hint: &&&str| {
        let left = room.checked_sub(width(hint));
        room = left.unwrap_or(0);
        left.is_some()
    };
    let mut named: Vec<&str> = others.iter().take_while(fits).copied().collect();
    named.extend(kept);
    Line::styled(named.join(SPACE), styles.faint())
}

/// What stands between two keys.
const SPACE: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_quit_are_named_on_every_screen() {
        let styles = Styles { colours: false };
        for (columns, expected) in [
            (
                80,
                "←→ step  d decision  f failure  n node  : go  x filter  Tab part  ? help  q quit",
            ),
            (
                79,
                "←→ step  d decision  f failure  n node  : go  x filter  ? help  q quit",
            ),
            (40, "←→ step  d decision  ? help  q quit"),
            (14, "? help  q quit"),
            (1, "? help  q quit"),
        ] {
            let line = hints(HINTS_KEPT, HINTS, styles, columns).to_string();
            assert_eq!(line, expected, "{columns}");
        }
    }
}
