//! Labels, by which executions are found. They stand in event 1, and a store keeps them
//! a second time, in the order of their names and values.

use crate::log::ChainedEvent;
use crate::model::{EventKind, Label};

/// The choice of executions by one of their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelFilter {
    /// The label's name.
    pub name: String,
    /// Its value. `None` if any will do.
    pub value: Option<String>,
}

impl LabelFilter {
    /// Whether an execution with these labels is chosen.
    #[must_use]
    pub fn takes(&self, labels: &[Label]) -> bool {
        labels.iter().any(|label| {
            let is_value = |value: &String| *value == label.value;
            label.name == self.name && self.value.as_ref().is_none_or(is_value)
        })
    }
}

/// The labels that an execution begins with, where these are its first events.
pub(super) fn begun_with(events: &[ChainedEvent]) -> &[Label] {
    match events.first().map(|chained| &chained.event.kind) {
        Some(EventKind::WorkflowStarted(started)) => &started.labels,
        _ => &[],
    }
}

/// The labels that event 1 names, as a store keeps them: sorted, each once.
#[must_use]
pub(crate) fn as_kept(labels: &[Label]) -> Vec<Label> {
    let mut labels = labels.to_vec();
    labels.sort_by(|one, other| (&one.name, &one.value).cmp(&(&other.name, &other.value)));
    labels.dedup();
    labels
}
