//! Moves that look for something.

use refrain::replay::{Conditions, Origins, Seek};

use super::filter::has_words;
use super::keys::Sought;
use super::level::Level;
use super::seen::said;

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    On,
    Back,
}

/// What was typed to be looked for.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) text: String,
    pub(super) condition: String,
}

/// Goes to the next of what is sought, or to the one before. Otherwise the place stays, and
/// why is said.
pub(super) fn seek(
    level: &mut Level,
    sought: Sought,
    way: Way,
    typed: &Typed,
) -> Result<(), String> {
    let nothing = |what: &str| match way {
        Way::On => format!("there is no {what} behind this place"),
        Way::Back => format!("there is no {what} before this place"),
    };
    let (found, what) = match sought {
        Sought::Text => return text(level, way, typed, &nothing),
        Sought::Condition => {
            let condition = &typed.condition;
            if condition.is_empty() {
                return Err("type a condition first: c".to_owned());
            }
            let what = format!("event by which {condition} comes to hold");
            (holds(level, way, condition)?, what)
        }
        Sought::Decision => (to(level, Seek::Decision, way)?, "decision".to_owned()),
        Sought::Failure => (to(level, Seek::Failure, way)?, "failure".to_owned()),
        Sought::Node => {
            let node = level.node.clone().ok_or("choose a node first")?;
            (
                to(level, Seek::Node(&node), way)?,
                format!("event about {node}"),
            )
        }
        Sought::Key => {
            let key = level.key.clone().ok_or("choose a key of the state first")?;
            (to(level, Seek::Key(&key), way)?, format!("change of {key}"))
        }
    };
    match found {
        true => Ok(()),
        false => Err(nothing(&what)),
    }
}

fn to(level: &mut Level, seek: Seek<'_>, way: Way) -> Result<bool, String> {
    let found = match way {
        Way::On => level.travel.next(seek),
        Way::Back => level.travel.previous(seek),
    };
    Ok(found.map_err(said)?.is_some())
}

fn holds(level: &mut Level, way: Way, condition: &str) -> Result<bool, String> {
    let mut conditions = Conditions::of(&mut level.travel);
    let found = match way {
        Way::On => conditions.next(condition),
        Way::Back => conditions.previous(condition),
    };
    Ok(found.map_err(said)?.is_some())
}

fn text(
    level: &mut Level,
    way: Way,
    typed: &Typed,
    nothing: &impl Fn(&str) -> String,
) -> Result<(), String> {
    let words: Vec<String> = typed
        .text
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    if words.is_empty() {
        return Err("type a text first: /".to_owned());
    }
    let has = |sequence: &u64| {
        level
            .event(*sequence)
            .is_some_and(|it| has_words(&it, &words))
    };
    let place = level.sequence();
    let found = match way {
        Way::On => (place + 1..=level.last()).find(has),
        Way::Back => (1..place).rev().find(has),
    };
    match found {
        Some(sequence) => level.go(sequence),
        None => return Err(nothing(&format!("event with {:?}", typed.text))),
    }
    Ok(())
}

/// Goes to the event that gave the chosen key its value.
pub(super) fn origin(level: &mut Level) -> Result<(), String> {
    let key = level.key.clone().ok_or("choose a key of the state first")?;
    let origin = Origins::of(&mut level.travel)
        .state_key(&key)
        .map_err(said)?;
    let Some(origin) = origin else {
        return Err(format!("nothing has given {key} a value up to here"));
    };
    level.go(origin.sequence);
    if origin.node_id.is_some() {
        level.node = origin.node_id;
    }
    Ok(())
}
