//! Texts that lie over the screen.

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
    pub(super) lines: Vec<String>,
    pub(super) scroll: usize,
}

impl Page {
    fn new(title: String, lines: Vec<String>) -> Self {
        Self {
            title,
            lines,
            scroll: 0,
        }
    }
}

/// The keys, and what they do.
pub(super) fn help() -> Page {
    let lines = keys::help().map(|(key, words)| format!("{key:<10} {words}"));
    Page::new("keys; ↑↓ scroll, Esc leaves".to_owned(), lines.collect())
}

/// The whole value of the chosen key of the state.
pub(super) fn value(level: &Level) -> Result<Page, String> {
    let key = level.key.clone().ok_or("choose a key of the state first")?;
    let (Some(Ok(state)), true) = level.state() else {
        return Err("the state is not known here".to_owned());
    };
    let value = state.iter().find(|it| it.key == key);
    let value = value.and_then(|it| it.value.as_deref());
    let value = value.ok_or_else(|| format!("there is no {key} here"))?;
    let text = json_text::pretty(value);
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
    let lines = Told::at(&mut level.travel, &node).page();
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
