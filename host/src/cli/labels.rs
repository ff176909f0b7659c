//! Labels as people type and see them.

use std::collections::BTreeMap;

use refrain::model::Label;
use refrain::store::LabelFilter;
use serde::Serialize;

use super::text::{Text, text};

/// Parses `NAME=VALUE`. What a name and a value may be, the library says.
pub(super) fn label(text: &str) -> Result<Label, String> {
    let (name, value) = text.split_once('=').ok_or("it should be NAME=VALUE")?;
    Ok(Label {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

/// Parses `NAME=VALUE`, or `NAME` for any value.
pub(super) fn filter(text: &str) -> Result<LabelFilter, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let name = name.to_owned();
    match name.is_empty() {
        true => Err("it should be NAME=VALUE, or NAME for any value".to_owned()),
        false => Ok(LabelFilter { name, value }),
    }
}

/// Labels in a document: an object of names and values. The library takes each name once.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct LabelsDocument<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> LabelsDocument<'a> {
    pub(super) fn of(labels: &'a [Label]) -> Self {
        let pairs = labels.iter();
        Self(pairs.map(|it| (&*it.name, &*it.value)).collect())
    }
}

/// Labels in a line.
pub(super) fn line(labels: &[Label]) -> Text {
    let each = labels.iter();
    Text::joined(each.map(|it| text!("{}={}", it.name, it.value)), ", ")
}
