//! The parser's tables, each row with what people read of it.

use alloc::vec::Vec;

use super::texts::{FieldText, KINDS, MAPPING, ObjectText, PARTS};
use crate::workflow::kind::{BRANCH, MAPPING_FIELD, REPEAT, TOLERATE, forms};
use crate::workflow::retry::POLICY;
use crate::workflow::source::{EDGE, LIMITS, NODE, TIMEOUTS, WORKFLOW};
use crate::workflow::table::Field;

/// An object that the parser reads.
pub(super) struct Object {
    pub(super) text: &'static ObjectText,
    pub(super) fields: Vec<(&'static Field, &'static FieldText)>,
    /// Whether it may have other fields, too.
    pub(super) is_open: bool,
}

const NAMED: [(&str, &[Field]); 9] = [
    ("workflow", &WORKFLOW),
    ("node", &NODE),
    ("edge", &EDGE),
    ("retry_policy", &POLICY),
    ("timeouts", &TIMEOUTS),
    ("limits", &LIMITS),
    ("tolerate", &TOLERATE),
    ("repeat", &REPEAT),
    ("branch", &BRANCH),
];

/// The parts of a workflow that are no kinds.
pub(super) fn parts() -> Vec<Object> {
    let part = |text: &'static ObjectText| {
        let table = NAMED.iter().find(|(name, _)| *name == text.name);
        let (_, table) = table.unwrap_or_else(|| panic!("no table is called {}", text.name));
        Object {
            text,
            fields: with_texts(text, table.iter()),
            is_open: false,
        }
    };
    PARTS.iter().map(part).collect()
}

/// The kinds, without those that are not supported.
pub(super) fn kinds() -> Vec<Object> {
    let kind = |text: &'static ObjectText| {
        let form = forms().find(|form| form.name == text.name);
        let form = form.unwrap_or_else(|| panic!("no kind is called {}", text.name));
        let mut fields = with_texts(text, form.fields.iter());
        if form.may_map_its_input() {
            fields.push((&MAPPING_FIELD, &MAPPING));
        }
        Object {
            text,
            fields,
            is_open: form.is_open(),
        }
    };
    KINDS.iter().map(kind).collect()
}

/// The fields of a table with their texts, in the order of the texts.
fn with_texts(
    object: &'static ObjectText,
    table: impl Iterator<Item = &'static Field> + Clone,
) -> Vec<(&'static Field, &'static FieldText)> {
    let row = |text: &'static FieldText| {
        let field = table.clone().find(|field| field.name == text.name);
        let field = field.unwrap_or_else(|| panic!("{} has no field {}", object.name, text.name));
        (field, text)
    };
    object.fields.iter().map(row).collect()
}

/// The names that the tables have and the texts do not.
#[cfg(test)]
pub(super) fn without_text() -> Vec<(&'static str, &'static str)> {
    let tables = NAMED.iter().map(|(name, table)| (*name, *table));
    let kinds = forms().map(|form| (form.name, form.fields));
    let mut missing = Vec::new();
    for (name, table) in tables.chain(kinds) {
        let text = PARTS.iter().chain(&KINDS).find(|text| text.name == name);
        let Some(text) = text else {
            missing.push((name, "type"));
            continue;
        };
        let is_missing = |field: &&Field| text.fields.iter().all(|text| text.name != field.name);
        missing.extend(
            table
                .iter()
                .filter(is_missing)
                .map(|field| (name, field.name)),
        );
    }
    missing
}
