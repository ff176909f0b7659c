//! What the guest says at a place of a log: the state, and why a node is where it is.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use refrain::guest::LibraryError;
use refrain::model::Explanation;
use refrain::replay::{Travel, TravelError, may_change_state};
use serde_json::value::RawValue;

use crate::cli::failure;

/// Bytes of a value that are kept to be shown in a line.
const VALUE_BYTES_MAX: usize = 4096;

/// A key of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyValue {
    pub(super) key: String,
    /// JSON, as much of it as any terminal is wide. `None` if the event took it away.
    pub(super) value: Option<String>,
    /// Whether the event that the place is behind gave it this value.
    pub(super) is_changed: bool,
}

/// The state behind the event that the cursor stands behind, with what that event changed;
/// or why the guest does not say it. The cursor stays there.
pub(super) fn state(travel: &mut Travel) -> Result<Vec<KeyValue>, String> {
    let sequence = travel.sequence();
    if sequence == 0 {
        return Ok(Vec::new());
    }
    let changes = travel
        .event()
        .is_some_and(|event| may_change_state(&event.kind));
    let before = match sequence {
        1 => Ok(HashMap::new()),
        _ if changes => {
            let before = travel.go(sequence - 1).and_then(|()| hashes(travel));
            travel.go(sequence).and(before)
        }
        _ => return keys(travel, |_, _| false).map_err(said),
    };
    let mut before = before.map_err(said)?;
    let mut shown = keys(travel, |key, value| before.remove(key) != Some(hash(value)));
    if let Ok(shown) = &mut shown {
        shown.extend(before.into_keys().map(|key| KeyValue {
            key,
            value: None,
            is_changed: true,
        }));
        shown.sort_by(|a, b| a.key.cmp(&b.key));
    }
    shown.map_err(said)
}

/// The same state at another place: nothing has changed it up to there.
pub(super) fn unchanged(state: Vec<KeyValue>) -> Vec<KeyValue> {
    let state = state.into_iter().filter(|it| it.value.is_some());
    let unmarked = state.map(|it| KeyValue {
        is_changed: false,
        ..it
    });
    unmarked.collect()
}

/// The keys of the state, sorted, with their values.
fn keys(
    travel: &mut Travel,
    mut is_changed: impl FnMut(&str, &str) -> bool,
) -> Result<Vec<KeyValue>, TravelError> {
    let state = travel.state()?;
    let keys = members(state.as_str()).into_iter();
    let shown = keys.map(|(key, value)| KeyValue {
        is_changed: is_changed(&key, value.get()),
        key,
        value: Some(cut(value.get()).to_owned()),
    });
    Ok(shown.collect())
}

/// The keys of the state, with the hashes of their values: a state may be large, and two of
/// them are too much.
fn hashes(travel: &mut Travel) -> Result<HashMap<String, u64>, TravelError> {
    let state = travel.state()?;
    let keys = members(state.as_str()).into_iter();
    Ok(keys.map(|(key, value)| (key, hash(value.get()))).collect())
}

/// A value may be most of a large state.
fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(VALUE_BYTES_MAX)]
}

fn members(state: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(state).unwrap_or_default()
}

fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Why a node is where it is. `None` before the first event.
pub(super) fn explanation(travel: &mut Travel, node: &str) -> Option<Result<Explanation, String>> {
    if travel.sequence() == 0 {
        return None;
    }
    Some(travel.explain(node).map_err(said))
}

pub(super) fn said(error: TravelError) -> String {
    let is_missing = matches!(error, TravelError::Library(LibraryError::Unknown { .. }));
    let said = failure::line(&error.into());
    match is_missing {
        true => format!("{said}; for a log in a file, --guest FILE.wasm gives it"),
        false => said,
    }
}
