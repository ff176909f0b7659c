//! Cases before they are judged, and the edits that they consist of.

use anyhow::Result;
use refrain::conformance::Edit;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::source::Source;

/// A case of which nobody has said yet what an audit answers.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) base: String,
    pub(super) edits: Vec<Edit>,
    /// Whether nobody has looked if the edits fit the log.
    pub(super) is_of_chance: bool,
}

/// Logs that are given together, in the order of their names.
pub(super) struct TogetherDraft {
    pub(super) name: String,
    pub(super) logs: Vec<Draft>,
}

/// Drafts as they are thought of.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) all: Vec<Draft>,
    pub(super) together: Vec<TogetherDraft>,
}

impl Drafts {
    /// One more: of this group, about this log.
    pub(super) fn add(&mut self, group: &str, source: &Source, what: &str, edits: Vec<Edit>) {
        let name = format!("{group}.{}.{what}", source.name);
        self.named(name, source, edits);
    }

    /// The same under this name. Chance may come to the same case twice.
    pub(super) fn named(&mut self, name: String, source: &Source, edits: Vec<Edit>) {
        let is_known = |it: &Draft| it.name == name && same(&it.edits, &edits);
        if self.all.iter().any(is_known) {
            return;
        }
        self.all.push(Draft {
            name,
            base: source.name.clone(),
            edits,
            is_of_chance: false,
        });
    }

    /// One more for each of these edits, about this log: `GROUP.WHAT`.
    pub(super) fn each<'a>(
        &mut self,
        group: &str,
        source: &Source,
        all: impl IntoIterator<Item = (&'a str, Vec<Edit>)>,
    ) {
        for (what, edits) in all {
            self.named(format!("{group}.{what}"), source, edits);
        }
    }

    /// The same, with edits that need not fit the log.
    pub(super) fn by_chance(&mut self, name: String, source: &Source, edits: Vec<Edit>) {
        self.named(name, source, edits);
        if let Some(last) = self.all.last_mut() {
            last.is_of_chance = true;
        }
    }

    /// These logs, with what is done to each, are given together in this order.
    pub(super) fn together(&mut self, name: String, logs: Vec<(&Source, Vec<Edit>)>) {
        let logs = (1..).zip(logs).map(|(number, (source, edits))| Draft {
            name: format!("{number}_{}", source.name),
            base: source.name.clone(),
            edits,
            is_of_chance: false,
        });
        let logs = logs.collect();
        self.together.push(TogetherDraft { name, logs });
    }

    /// The same, and the chain is made whole again.
    pub(super) fn forge(&mut self, source: &Source, what: &str, mut edits: Vec<Edit>) {
        edits.push(Edit::Rechain {});
        self.add("forged", source, what, edits);
    }
}

/// A field gets this value.
pub(super) fn set(line: usize, field: &str, to: impl Into<Value>) -> Edit {
    let to = to_raw_value(&to.into());
    Edit::Set {
        line,
        field: format!("/{field}"),
        to: to.expect("a value is written as JSON"),
    }
}

/// A field gets this JSON text.
pub(super) fn raw(line: usize, field: &str, to: &str) -> Result<Edit> {
    Ok(Edit::Set {
        line,
        field: format!("/{field}"),
        to: RawValue::from_string(to.to_owned())?,
    })
}

/// A field is taken out.
pub(super) fn unset(line: usize, field: &str) -> Edit {
    Edit::Unset {
        line,
        field: format!("/{field}"),
    }
}

/// A text of a line becomes another one.
pub(super) fn text(line: usize, from: impl Into<String>, to: impl Into<String>) -> Edit {
    Edit::Text {
        line,
        from: from.into(),
        to: to.into(),
    }
}

fn same(one: &[Edit], other: &[Edit]) -> bool {
    format!("{one:?}") == format!("{other:?}")
}
