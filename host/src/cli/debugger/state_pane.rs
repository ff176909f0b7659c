//! The state: a line for each key, those marked that the event changed.

use ratatui::text::{Line, Span};

use super::level::Level;
use super::seen::KeyValue;
use super::styles::Styles;
use crate::cli::text::Text;

/// Columns of keys.
const KEY_COLUMNS: usize = 24;

/// The title, the lines, and the line of the chosen key.
pub(super) fn shown(
    level: &Level,
    styles: Styles,
    has_focus: bool,
) -> (String, Vec<Line<'static>>, usize) {
    let (state, is_fresh) = level.state();
    let title = match is_fresh {
        true => "state".to_owned(),
        false => "state (of another place, asking)".to_owned(),
    };
    let keys = match state {
        None => return (title, Vec::new(), 0),
        Some(Err(why)) => {
            let why = Text::word(why);
            return (title, vec![Line::raw(why.as_str().to_owned())], 0);
        }
        Some(Ok(keys)) => keys,
    };
    if keys.is_empty() {
        return (title, vec![Line::styled("{}", styles.faint())], 0);
    }
    let ids = keys.iter().map(|it| Text::word(&it.key).width());
    let room = ids.max().unwrap_or(0).min(KEY_COLUMNS);
    let chosen = keys
        .iter()
        .position(|it| Some(&it.key) == level.key.as_ref());
    let lines = keys.iter().enumerate().map(|(place, key)| {
        let mut line = line(key, room, styles);
        if has_focus && chosen == Some(place) {
            line.style = styles.chosen();
        }
        line
    });
    (title, lines.collect(), chosen.unwrap_or(0))
}

fn line(key: &KeyValue, room: usize, styles: Styles) -> Line<'static> {
    let name = Text::word(&key.key).cut(room).padded(room);
    let value = match &key.value {
        Some(json) => Text::json_line(json),
        None => Text::word("(gone)"),
    };
    let mark = if key.is_changed { "* " } else { "  " };
    let style = match key.is_changed {
        true => styles.changed(),
        false => ratatui::style::Style::new(),
    };
    Line::from(vec![
        Span::styled(format!("{mark}{}", name.as_str()), style),
        Span::raw(format!("  {}", value.as_str())),
    ])
}
