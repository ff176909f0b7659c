//! The events: those around the place.

use ratatui::text::{Line, Span};
use refrain::model::Origin;

use super::level::Level;
use super::styles::Styles;
use crate::cli::output::Paint;

/// The title, and as many listed events as there are rows, with the place among them.
pub(super) fn shown(level: &Level, styles: Styles, rows: usize) -> (String, Vec<Line<'static>>) {
    let before = level.listed_before();
    let count = level.listed_count();
    let first = before
        .saturating_sub(rows.div_ceil(2))
        .min(count.saturating_sub(rows));
    let digits = level.last().to_string().len();
    let mut lines = Vec::with_capacity(rows);
    if first == 0 && before == 0 && level.sequence() == 0 {
        lines.push(Line::styled("before the first event", styles.chosen()));
    }
    for place in first..count.min(first + rows) {
        let Some((sequence, words, origin)) = level
            .listed(place)
            .and_then(|it| level.line(it).map(|(words, origin)| (it, words, origin)))
        else {
            break;
        };
        let shown = (sequence, words.as_str(), origin);
        lines.push(line(shown, level.sequence(), digits, styles));
    }
    lines.truncate(rows);
    let title = match level.is_filtered() {
        true => format!("{count} of {} events", level.last()),
        false => "events".to_owned(),
    };
    (title, lines)
}

/// Facts come in, decisions go out. What has not happened yet at the place is faint.
fn line(
    (sequence, words, origin): (u64, &str, Origin),
    at: u64,
    digits: usize,
    styles: Styles,
) -> Line<'static> {
    let (mark, paint) = match origin {
        Origin::Fact => ("<", Paint::Blue),
        Origin::Decision => (">", Paint::Green),
    };
    let number = format!("{sequence:>digits$} ");
    let words = format!(" {words}");
    let mut line = Line::from(vec![
        Span::styled(number, styles.faint()),
        Span::styled(mark, styles.paint(paint)),
        Span::raw(words),
    ]);
    if sequence == at {
        line.style = styles.chosen();
    } else if sequence > at {
        line.style = styles.faint();
    }
    line
}
