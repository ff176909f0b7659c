//! What the worker puts into the texts of a payload: secrets, and the execution's id.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::environment::PREFIX;
use super::masks::Masks;
use super::source::{Secrets, value_fault};
use crate::error::WorkError;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::model::WorkItem;
use crate::templates::{Part, PutIn, TEMPLATES, parts, texts_within};

/// The class of errors about a secret that is not there.
const UNKNOWN: &str = "unknown_secret";

/// The class of errors about a secret that cannot be used.
const UNUSABLE: &str = "unusable_secret";

/// A payload that may have templates.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    node_id: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(default)]
    templates: Vec<String>,
}

#[derive(Deserialize)]
struct KindName {
    #[serde(rename = "type", default)]
    name: String,
}

/// Whether nothing is to be put into the texts of this item, or all is.
#[cfg(feature = "http")]
pub(crate) fn is_put_in(item: &WorkItem) -> bool {
    !item.payload.contains(TEMPLATES)
        || serde_json::from_str::<Payload<'_>>(&item.payload)
            .is_ok_and(|payload| payload.templates.is_empty())
}

/// Put the values into the texts of an item's payload that are templates, and tell which
/// secrets these were: of several places, the first that has one says it. An item without
/// templates stays as it is.
///
/// An engine does it for its own workers. A worker that claims does it itself, and hands
/// over its answer [without the secrets](crate::without_secrets).
///
/// # Errors
/// There is no such secret (class `unknown_secret`), it could not be hidden in what is
/// said of it (`unusable_secret`), or the payload is none that lists its templates.
pub fn put_in(item: &mut WorkItem, secrets: &[Box<dyn Secrets>]) -> Result<Masks, WorkError> {
    if !item.payload.contains(TEMPLATES) {
        return Ok(Masks::default());
    }
    let payload: Payload<'_> = serde_json::from_str(&item.payload)
        .map_err(|error| WorkError::permanent(format!("the payload cannot be read: {error}")))?;
    if payload.templates.is_empty() {
        return Ok(Masks::default());
    }
    let mut values = Values {
        item,
        secrets,
        known: BTreeMap::new(),
        hidden: Vec::new(),
    };
    let kind = values.put_into(payload.kind.get(), &payload.templates)?;
    let masks = values.masks()?;
    let (node_id, input) = (payload.node_id, payload.input);
    item.payload = format!(r#"{{"node_id":{node_id},"kind":{kind},"input":{input}}}"#);
    Ok(masks)
}

/// The values of an attempt.
struct Values<'a> {
    item: &'a WorkItem,
    secrets: &'a [Box<dyn Secrets>],
    known: BTreeMap<String, String>,
    /// What is to be hidden: the name and a spelling of its value.
    hidden: Vec<(String, String)>,
}

impl Values<'_> {
    fn put_into(&mut self, kind: &str, templates: &[String]) -> Result<String, WorkError> {
        let name = serde_json::from_str(kind).map(|KindName { name }| name);
        let is_request = name.is_ok_and(|name| name == crate::queues::HTTP);
        let mut pointers = templates.iter().peekable();
        let (mut filled, mut from) = (String::with_capacity(kind.len()), 0);
        for place in texts_within(kind) {
            let Some(pointer) = pointers.next_if(|it| **it == place.pointer) else {
                continue;
            };
            let text: String = serde_json::from_str(&kind[place.range.clone()])
                .map_err(|error| no_template(pointer, &error.to_string()))?;
            let parts = parts(&text).ok_or_else(|| no_template(pointer, "it is no template"))?;
            let in_url = is_request && pointer == "/kind/url" && parts.len() > 1;
            let text = self.text(parts, in_url)?;
            filled.push_str(&kind[from..place.range.start]);
            filled.push_str(&serde_json::Value::from(text).to_string());
            fits(filled.len() + kind.len() - place.range.end)?;
            from = place.range.end;
        }
        if let Some(pointer) = pointers.next() {
            return Err(no_template(pointer, "there is no such text"));
        }
        filled.push_str(&kind[from..]);
        Ok(filled)
    }

    fn text(&mut self, parts: Vec<Part>, in_url: bool) -> Result<String, WorkError> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(literal) => text.push_str(&literal),
                Part::PutIn(PutIn::ExecutionId) => text.push_str(&self.item.execution_id),
                Part::PutIn(PutIn::Secret(name)) => {
                    let value = self.secret(&name)?;
                    match in_url {
                        false => text.push_str(&value),
                        true => {
                            let spelt = percent(&value);
                            text.push_str(&spelt);
                            self.hidden.push((name, spelt));
                        }
                    }
                }
            }
            fits(text.len())?;
        }
        Ok(text)
    }

    fn secret(&mut self, name: &str) -> Result<String, WorkError> {
        if let Some(value) = self.known.get(name) {
            return Ok(value.clone());
        }
        let tenant = &self.item.tenant;
        let mut value = None;
        for secrets in self.secrets {
            value = secrets.secret(tenant, name)?;
            if value.is_some() {
                break;
            }
        }
        let value = value.ok_or_else(|| {
            let said = format!(
                "there is no secret {name} of the tenant {tenant:?} where this worker runs; set the variable {PREFIX}{name} there, or give the worker a secrets file with it, and try again"
            );
            WorkError::permanent(said).class(UNKNOWN)
        })?;
        if let Some(fault) = value_fault(name, &value) {
            return Err(WorkError::permanent(fault).class(UNUSABLE));
        }
        self.known.insert(name.to_owned(), value.clone());
        let in_json = serde_json::Value::from(value.as_str()).to_string();
        let in_json = in_json[1..in_json.len() - 1].to_owned();
        self.hidden.push((name.to_owned(), value.clone()));
        self.hidden.push((name.to_owned(), in_json));
        Ok(value)
    }

    /// All that is to be hidden.
    fn masks(mut self) -> Result<Masks, WorkError> {
        self.hidden.sort();
        self.hidden.dedup();
        for (name, value) in &self.hidden {
            let is_shown = |other: &String| Masks::shown(other).contains(value.as_str());
            if let Some(other) = self.known.keys().find(|other| is_shown(other)) {
                let said = format!(
                    "the value of the secret {name} is a part of the name of {other}, and could not be hidden; use another name"
                );
                return Err(WorkError::permanent(said).class(UNUSABLE));
            }
        }
        Ok(Masks::new(self.hidden))
    }
}

fn no_template(pointer: &str, why: &str) -> WorkError {
    WorkError::permanent(format!(
        "the payload lists {pointer} as a template, and {why}"
    ))
}

fn fits(bytes: usize) -> Result<(), WorkError> {
    if bytes <= PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    let said = format!("with its secrets, the payload has more than {PAYLOAD_BYTES_MAX} bytes");
    Err(WorkError::permanent(said).class("too_large"))
}

/// A text as a part of a URL, as expressions are inserted there.
fn percent(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

#[cfg(test)]
mod tests;
