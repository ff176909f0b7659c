//! What the guest says at a place of a log: the state, and why a node is where it is.

use std::collections::BTreeMap;

use refrain::guest::LibraryError;
use refrain::model::Explanation;
use refrain::replay::{Travel, TravelError};
use serde_json::value::RawValue;

use crate::cli::failure;

/// A key of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyValue {
    pub(super) key: String,
    /// JSON. `None` if the event took it away.
    pub(super) value: Option<String>,
    /// Whether the event that the place is behind gave it this value.
    pub(super) is_changed: bool,
}

/// The state behind the event that the cursor stands behind, with what that event changed;
/// or why the guest does not say it. The cursor stays there.
pub(super) fn state(travel: &mut Travel) -> Result<Vec<KeyValue>, String> {
    let sequence = travel.sequence();
    let state = keys(travel, sequence.saturating_sub(1)).and_then(|before| {
        let now = keys(travel, sequence)?;
        Ok((before, now))
    });
    let back = travel.go(sequence);
    let (before, now) = state.map_err(said)?;
    back.map_err(said)?;
    let mut shown: Vec<KeyValue> = now
        .iter()
        .map(|(key, value)| KeyValue {
            key: key.clone(),
            value: Some(value.clone()),
            is_changed: before.get(key) != Some(value),
        })
        .collect();
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    shown.extend(gone.map(|key| KeyValue {
        key: key.clone(),
        value: None,
        is_changed: true,
    }));
    shown.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(shown)
}

/// Before the first event there is no state.
fn keys(travel: &mut Travel, sequence: u64) -> Result<BTreeMap<String, String>, TravelError> {
    if sequence == 0 {
        return Ok(BTreeMap::new());
    }
    travel.go(sequence)?;
    let state = travel.state()?;
    let keys: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(state.as_str()).unwrap_or_default();
    let keys = keys.into_iter();
    Ok(keys
        .map(|(key, value)| (key, value.get().to_owned()))
        .collect())
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
