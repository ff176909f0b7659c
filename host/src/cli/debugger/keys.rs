//! What each key does. The help is made of the same table.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something that a person can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Step,
    Back,
    PageForward,
    PageBack,
    First,
    Last,
    Next(Sought),
    Previous(Sought),
    Ask(Question),
    Origin,
    NextStep,
    WhatWouldRun,
    Up,
    Down,
    Enter,
    Leave,
    NextPane,
    PreviousPane,
    Zoom,
    Keep,
    Help,
    Quit,
}

/// What is looked for in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    Decision,
    Failure,
    Node,
    Key,
    Text,
    Condition,
}

/// What is asked for on the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Sequence,
    Text,
    Filter,
    Condition,
}

/// A key, what it does, and that in words.
struct Binding {
    key: KeyCode,
    action: Action,
    /// The key as the help names it; several bindings may stand in one line of it.
    name: &'static str,
    words: &'static str,
}

const fn on(key: KeyCode, action: Action, name: &'static str, words: &'static str) -> Binding {
    Binding {
        key,
        action,
        name,
        words,
    }
}

/// The same as the binding before, by another key.
const fn also(key: KeyCode, action: Action) -> Binding {
    on(key, action, "", "")
}

use Action::{Ask, Next, Previous};
use KeyCode::Char;

#[rustfmt::skip]
const BINDINGS: &[Binding] = &[
    on(KeyCode::Right, Action::Step, "→  l", "one event on"),
    also(Char('l'), Action::Step),
    on(KeyCode::Left, Action::Back, "←  h", "one event back"),
    also(Char('h'), Action::Back),
    on(KeyCode::PageDown, Action::PageForward, "PgDn PgUp", "a screen on, or back"),
    also(KeyCode::PageUp, Action::PageBack),
    on(Char('g'), Action::First, "g  G", "before the first event, or behind the last"),
    also(KeyCode::Home, Action::First),
    also(Char('G'), Action::Last),
    also(KeyCode::End, Action::Last),
    on(Char(':'), Ask(Question::Sequence), ":", "behind the event of a number"),
    on(Char('d'), Next(Sought::Decision), "d  D", "the next decision, or the one before"),
    also(Char('D'), Previous(Sought::Decision)),
    on(Char('f'), Next(Sought::Failure), "f  F", "the next failure, or the one before"),
    also(Char('F'), Previous(Sought::Failure)),
    on(Char('n'), Next(Sought::Node), "n  N", "the next event of the chosen node, or the one before"),
    also(Char('N'), Previous(Sought::Node)),
    on(Char('k'), Next(Sought::Key), "k  K", "the next change of the chosen key, or the one before"),
    also(Char('K'), Previous(Sought::Key)),
    on(Char('c'), Ask(Question::Condition), "c", "the next event by which a condition comes to hold"),
    on(Char('v'), Next(Sought::Condition), "v  V", "the next event by which it does, or the one before"),
    also(Char('V'), Previous(Sought::Condition)),
    on(Char('/'), Ask(Question::Text), "/", "search a text in the events"),
    on(Char('t'), Next(Sought::Text), "t  T", "the next event with that text, or the one before"),
    also(Char('T'), Previous(Sought::Text)),
    on(Char('x'), Ask(Question::Filter), "x", "list only some events: failed, node=ID, queue=Q, kind=K, words"),
    on(Char('o'), Action::Origin, "o", "where the chosen key has its value from"),
    on(Char('s'), Action::NextStep, "s", "what the next step would decide here"),
    on(Char('w'), Action::WhatWouldRun, "w", "what would make the chosen node run"),
    on(KeyCode::Down, Action::Down, "↑  ↓", "choose a node, an event, a key; or scroll"),
    also(KeyCode::Up, Action::Up),
    also(Char('j'), Action::Down),
    on(KeyCode::Enter, Action::Enter, "Enter", "into a map or a child; a whole value; an event's node"),
    on(KeyCode::Esc, Action::Leave, "Esc", "out of it again"),
    also(KeyCode::Backspace, Action::Leave),
    on(KeyCode::Tab, Action::NextPane, "Tab", "the next part of the screen"),
    also(KeyCode::BackTab, Action::PreviousPane),
    on(Char('p'), Action::Keep, "p", "keep the chosen node while the place moves, or no longer"),
    on(Char('z'), Action::Zoom, "z", "this part alone, or all parts"),
    on(Char('?'), Action::Help, "?", "this help"),
    on(Char('q'), Action::Quit, "q", "leave"),
];

/// What a key does. `None`: nothing.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == Char('c')).then_some(Action::Quit);
    }
    let binding = BINDINGS.iter().find(|binding| binding.key == key.code)?;
    Some(binding.action)
}

/// The lines of the help: keys, and what they do.
pub(super) fn help() -> impl Iterator<Item = (&'static str, &'static str)> {
    let named = BINDINGS.iter().filter(|binding| !binding.name.is_empty());
    named.map(|binding| (binding.name, binding.words))
}

/// The keys that the last line names, as far as there is room.
pub(super) const HINTS: &[&str] = &[
    "←→ step",
    "d decision",
    "f failure",
    "n node",
    ": go",
    "x filter",
    "Tab part",
];

/// Those that it names first of all.
pub(super) const HINTS_KEPT: &[&str] = &["? help", "q quit"];

/// Those that it names while a text lies over the screen.
pub(super) const HINTS_OF_PAGE: &[&str] = &["Esc back", "↑↓ PgUp PgDn scroll"];

/// Those that are named while a line is typed, and while that is the line of the last time.
pub(super) const HINTS_OF_PROMPT: &[&str] = &["Enter takes it", "Esc leaves", "Ctrl-U clears"];
pub(super) const HINTS_OF_LINE_BEFORE: &[&str] =
    &["typing replaces it", "← → keep it", "Ctrl-U clears"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_does_two_things_and_every_line_of_the_help_has_words() {
        let mut keys = BTreeSet::new();
        for binding in BINDINGS {
            assert!(
                keys.insert(format!("{:?}", binding.key)),
                "{:?}",
                binding.key
            );
            assert_eq!(binding.name.is_empty(), binding.words.is_empty());
        }
    }
}
