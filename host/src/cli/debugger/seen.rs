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
    /// Of the whole value.
    hash: u64,
    /// Whether the event that the place is behind gave it this value.
    pub(super) is_changed: bool,
}

/// The state behind the event that the cursor stands behind, with what that event changed;
/// or why the guest does not say it. `before` is what there was before the event, if that is
/// known. The cursor stays there.
pub(super) fn state(
    travel: &mut Travel,
    before: Option<Vec<KeyValue>>,
) -> Result<Vec<KeyValue>, String> {
    let sequence = travel.sequence();
    if sequence == 0 {
        return Ok(Vec::new());
    }
    let changes = travel
        .event()
        .is_some_and(|event| may_change_state(&event.kind));
    match before {
        _ if sequence == 1 => changed(travel, HashMap::new()),
        Some(before) if !changes => Ok(unchanged(before)),
        None if !changes => keys(travel, |_, _| false).map_err(said),
        // Two states may be too large to be held beside each other.
        Some(before) => changed(travel, hashes(before)),
        None => {
            let before = travel
                .go(sequence - 1)
                .and_then(|()| keys(travel, |_, _| false));
            travel.go(sequence).map_err(said)?;
            changed(travel, hashes(before.map_err(said)?))
        }
    }
}

/// The state, with what has changed since there were values of these hashes.
fn changed(travel: &mut Travel, mut before: HashMap<String, u64>) -> Result<Vec<KeyValue>, String> {
    let shown = keys(travel, |key, hash| before.remove(key) != Some(hash));
    let mut shown = shown.map_err(said)?;
    shown.extend(before.into_keys().map(|key| KeyValue {
        key,
        value: None,
        hash: 0,
        is_changed: true,
    }));
    shown.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(shown)
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

/// About how many bytes of memory a state takes.
pub(super) fn bytes(state: &[KeyValue]) -> usize {
    let each = state.iter().map(|it| {
        let value = it.value.as_ref().map_or(0, String::len);
        size_of::<KeyValue>() + it.key.len() + value
    });
    each.sum()
}

/// The keys of the state, sorted, with their values.
fn keys(
    travel: &mut Travel,
    mut is_changed: impl FnMut(&str, u64) -> bool,
) -> Result<Vec<KeyValue>, TravelError> {
    let state = travel.state()?;
    let keys = members(state.as_str()).into_iter();
    let shown = keys.map(|(key, value)| {
        let hash = hash(value.get());
        KeyValue {
            is_changed: is_changed(&key, hash),
            key,
            value: Some(cut(value.get()).to_owned()),
            hash,
        }
    });
    Ok(shown.collect())
}

/// The hashes of values that are there, by their keys.
fn hashes(state: Vec<KeyValue>) -> HashMap<String, u64> {
    let there = state.into_iter().filter(|it| it.value.is_some());
    there.map(|it| (it.key, it.hash)).collect()
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
