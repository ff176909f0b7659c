//! What the guest says at a place of a log: the state, and why a node is where it is.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use refrain::guest::{CallError, LibraryError};
use refrain::model::{Explanation, SchedulerError};
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

/// The state at a place, or why the guest does not say it.
pub(super) type State = Result<Vec<KeyValue>, String>;

/// What the guest says at one place.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) sequence: u64,
    /// Places between which nothing changes share it.
    pub(super) state: Arc<State>,
    /// Why nodes are where they are, those that were asked about.
    explanations: BTreeMap<String, Result<Explanation, String>>,
    /// About how many bytes of memory the explanations take.
    explanations_bytes: usize,
    /// Whether the guest failed.
    pub(super) has_failed: bool,
}

impl Answer {
    /// What it says at the place of the cursor, and about these nodes there. `before` is the
    /// state at the place before, if that is known.
    pub(super) fn at(travel: &mut Travel, before: Option<&Arc<State>>, nodes: &[String]) -> Self {
        let state = shared_state(travel, before);
        let mut answer = Self {
            sequence: travel.sequence(),
            has_failed: state.is_err(),
            state,
            explanations: BTreeMap::new(),
            explanations_bytes: 0,
        };
        for node in nodes {
            answer.explain(travel, node);
        }
        answer
    }

    /// One with a state of about so many bytes.
    #[cfg(test)]
    pub(super) fn sized(sequence: u64, bytes: usize) -> Self {
        let key = KeyValue {
            key: "key".to_owned(),
            value: Some("1".repeat(bytes)),
            hash: 0,
            is_changed: false,
        };
        Self {
            sequence,
            state: Arc::new(Ok(vec![key])),
            explanations: BTreeMap::new(),
            explanations_bytes: 0,
            has_failed: false,
        }
    }

    /// Asks about one more node, with the cursor at the place of this answer. Before the first
    /// event nothing is said of any.
    pub(super) fn explain(&mut self, travel: &mut Travel, node: &str) {
        if self.sequence == 0 || self.explanations.contains_key(node) {
            return;
        }
        let explanation = travel.explain(node);
        // Some nodes, such as instances, are not there at every place.
        self.has_failed |= explanation.as_ref().is_err_and(|it| !is_answer(it));
        let explanation = explanation.map_err(said);
        self.explanations_bytes += match &explanation {
            Ok(explanation) => serde_json::to_vec(explanation).map_or(0, |text| text.len()),
            Err(why) => why.len(),
        };
        self.explanations.insert(node.to_owned(), explanation);
    }

    /// Why this node is where it is; `None` if that was not asked for.
    pub(super) fn explanation(&self, node: &str) -> Option<&Result<Explanation, String>> {
        self.explanations.get(node)
    }

    /// About how many bytes of memory it takes, without its state.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.explanations_bytes
    }
}

/// Whether the guest has said that itself.
fn is_answer(error: &TravelError) -> bool {
    let of_guest = |error: &CallError| matches!(error, CallError::Scheduler(_));
    matches!(error, TravelError::Call { error, .. } if of_guest(error))
}

fn shared_state(travel: &mut Travel, before: Option<&Arc<State>>) -> Arc<State> {
    match before.map(|it| (it, &**it)) {
        Some((shared, Ok(state))) => match changes_state(travel) {
            false => unchanged(shared),
            true => Arc::new(self::state(travel, Some(state))),
        },
        Some((_, Err(_))) | None => Arc::new(state(travel, None)),
    }
}

/// Whether the event that the cursor stands behind may have changed the state.
fn changes_state(travel: &Travel) -> bool {
    let event = travel.log().outline(travel.sequence());
    event.is_some_and(|event| event.sequence == 1 || may_change_state(&event.kind))
}

/// The state behind the event that the cursor stands behind, with what that event changed.
/// `before` is what there was before the event, if that is known. The cursor stays there.
fn state(travel: &mut Travel, before: Option<&[KeyValue]>) -> State {
    let sequence = travel.sequence();
    if sequence == 0 {
        return Ok(Vec::new());
    }
    if sequence == 1 {
        return changed(travel, HashMap::new());
    }
    if !changes_state(travel) {
        return keys(travel, |_, _| false).map_err(said);
    }
    // Hashes are all that is kept of the state before while the next one is asked for.
    let before = match before {
        Some(before) => hashes(before),
        None => {
            let before = travel
                .go(sequence - 1)
                .and_then(|()| keys(travel, |_, _| false));
            travel.go(sequence).map_err(said)?;
            hashes(&before.map_err(said)?)
        }
    };
    changed(travel, before)
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
pub(super) fn unchanged(shared: &Arc<State>) -> Arc<State> {
    match &**shared {
        Ok(state) if state.iter().any(|it| it.is_changed) => {
            let there = state.iter().filter(|it| it.value.is_some());
            let unmarked = there.map(|it| KeyValue {
                is_changed: false,
                ..it.clone()
            });
            Arc::new(Ok(unmarked.collect()))
        }
        _ => Arc::clone(shared),
    }
}

/// About how many bytes of memory a state takes.
pub(super) fn state_bytes(state: &State) -> usize {
    let each = state.iter().flatten().map(|it| {
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
fn hashes(state: &[KeyValue]) -> HashMap<String, u64> {
    let there = state.iter().filter(|it| it.value.is_some());
    there.map(|it| (it.key.clone(), it.hash)).collect()
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

pub(super) fn said(error: TravelError) -> String {
    let helps = match &error {
        TravelError::Library(LibraryError::Unknown { .. }) => {
            "; for a log in a file, --guest FILE.wasm gives it"
        }
        TravelError::Call {
            error: CallError::Scheduler(SchedulerError::Illegal(_)),
            ..
        } => "; `refrain audit` says what is wrong with the log",
        _ => "",
    };
    format!("{}{helps}", failure::line(&error.into()))
}
