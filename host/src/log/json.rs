//! The one JSON form of events: `log --json` prints it, exports consist of it.
//!
//! One flat object an event, on one line:
//! `{"sequence":1,"at":"2026-01-01T00:00:00.000Z","origin":"fact","hash":…,"type":"node_started",…}`.
//! An option that is none is left out. Payloads are embedded as they are,
//! character for character; one that cannot stand on one line as JSON (it has
//! line breaks around its tokens, say) is written as a string instead, in a
//! field whose name ends in `_text`. So what is read is what was written, and
//! an event has the same hash before and after.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::contract::Event;
use crate::log::digest::{hex, parse_hex};
use crate::log::field::{Sink, Source};
use crate::log::time::{parse_rfc3339, rfc3339};
use crate::log::{StoredEvent, form};

/// This text is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}`: {problem}")]
pub struct JsonError {
    /// The field, with those that it is in: `limits.max_concurrent_nodes`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The JSON form of an event.
#[must_use]
pub fn write_event(event: &Event) -> String {
    write(event, None)
}

/// The JSON form of an event with its chain hash, which is the field `hash`.
#[must_use]
pub fn write_stored(stored: &StoredEvent) -> String {
    write(&stored.event, Some(&hex(&stored.hash)))
}

fn write(event: &Event, hash: Option<&str>) -> String {
    let mut writer = Writer(String::with_capacity(256));
    writer.0.push('{');
    form::write_place(event, &mut writer);
    if let Some(hash) = hash {
        writer.digest("hash", hash);
    }
    form::write_kind(&event.kind, &mut writer);
    writer.0.push('}');
    writer.0
}

/// The event that [`write_event`] writes like this.
///
/// # Errors
///
/// Anything else, with the name of the field.
pub fn read_event(text: &str) -> Result<Event, JsonError> {
    let mut reader = Reader::new(text, Vec::new())?;
    let event = form::read_event(&mut reader)?;
    reader.end()?;
    Ok(event)
}

/// The event that [`write_stored`] writes like this.
///
/// # Errors
///
/// Anything else, with the name of the field.
pub fn read_stored(text: &str) -> Result<StoredEvent, JsonError> {
    let mut reader = Reader::new(text, Vec::new())?;
    let hash = reader.hash("hash")?;
    let event = form::read_event(&mut reader)?;
    reader.end()?;
    Ok(StoredEvent { event, hash })
}

/// Whether this text reads back as it is when it is embedded in a line of
/// JSON.
fn embeds(text: &str) -> bool {
    !text.contains(['\n', '\r'])
        && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text)
}

/// `output` has its text form in `output_text`.
fn text_name(name: &str) -> String {
    format!("{name}_text")
}

struct Writer(String);

impl Writer {
    fn field(&mut self, name: &str, json: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.extend(["\"", name, "\":", json]);
    }
}

impl Sink for Writer {
    fn text(&mut self, name: &'static str, value: &str) {
        self.field(name, &Value::from(value).to_string());
    }
    fn json(&mut self, name: &'static str, value: &str) {
        if embeds(value) {
            self.field(name, value);
        } else {
            self.field(&text_name(name), &Value::from(value).to_string());
        }
    }
    fn digest(&mut self, name: &'static str, value: &str) {
        self.text(name, value);
    }
    fn number(&mut self, name: &'static str, value: u64) {
        self.field(name, &value.to_string());
    }
    fn time(&mut self, name: &'static str, value: u64) {
        match rfc3339(value) {
            Some(text) => self.text(name, &text),
            None => self.number(name, value),
        }
    }
    fn flag(&mut self, name: &'static str, value: bool) {
        self.field(name, if value { "true" } else { "false" });
    }
    fn choice(&mut self, name: &'static str, value: &'static str) {
        self.text(name, value);
    }
    fn present(&mut self, _name: &'static str, _present: bool) {}
    fn record(&mut self, name: &'static str, fields: impl FnOnce(&mut Self)) {
        self.field(name, "{");
        fields(self);
        self.0.push('}');
    }
}

/// Reads one object. Fields leave it as they are read, so that in the end
/// those are left that nobody knows.
pub(super) struct Reader<'a> {
    fields: BTreeMap<String, &'a RawValue>,
    path: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, path: Vec<&'static str>) -> Result<Self, JsonError> {
        match serde_json::from_str::<Object<'a>>(text) {
            Ok(Object(fields)) => Ok(Self { fields, path }),
            Err(error) => Err(JsonError {
                field: if path.is_empty() {
                    "the whole line".to_owned()
                } else {
                    path.join(".")
                },
                problem: format!("it should be one JSON object: {error}"),
            }),
        }
    }

    /// Nothing may be left: an unknown field could only be a mistake, or an
    /// edit that no hash covers.
    pub(super) fn end(&self) -> Result<(), JsonError> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(unknown) => Err(self.error(unknown, "there is no such field here; remove it")),
        }
    }

    pub(super) fn error(&self, name: &str, problem: impl Into<String>) -> JsonError {
        let field = self
            .path
            .iter()
            .copied()
            .chain([name])
            .collect::<Vec<_>>()
            .join(".");
        JsonError {
            field,
            problem: problem.into(),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<&'a str, JsonError> {
        match self.fields.remove(name) {
            Some(raw) => Ok(raw.get()),
            None => Err(self.error(
                name,
                "it is missing; add it, or take the line from the original",
            )),
        }
    }

    fn parse<T: Deserialize<'a>>(
        &mut self,
        name: &'static str,
        what: &str,
    ) -> Result<T, JsonError> {
        let found = self.take(name)?;
        serde_json::from_str(found).map_err(|_| self.mismatch(name, found, what))
    }

    fn mismatch(&self, name: &str, found: &str, what: &str) -> JsonError {
        let excerpt: String = found.chars().take(60).collect();
        let dots = if excerpt.len() < found.len() {
            "…"
        } else {
            ""
        };
        self.error(name, format!("{excerpt}{dots} should be {what}"))
    }

    pub(super) fn hash(&mut self, name: &'static str) -> Result<super::Hash, JsonError> {
        let text = self.text(name)?;
        parse_hex(&text)
            .ok_or_else(|| self.mismatch(name, &text, "64 lower-case hexadecimal digits"))
    }
}

impl Source for Reader<'_> {
    type Error = JsonError;

    fn text(&mut self, name: &'static str) -> Result<String, JsonError> {
        self.parse(name, "a string")
    }
    fn json(&mut self, name: &'static str) -> Result<String, JsonError> {
        match self.fields.remove(&text_name(name)) {
            None => self.take(name).map(str::to_owned),
            Some(_) if self.fields.contains_key(name) => Err(self.error(
                name,
                format!("it is there twice, as itself and as `{name}_text`; remove one"),
            )),
            Some(text) => serde_json::from_str(text.get())
                .map_err(|_| self.mismatch(&text_name(name), text.get(), "a string")),
        }
    }
    fn digest(&mut self, name: &'static str) -> Result<String, JsonError> {
        self.hash(name).map(|hash| hex(&hash))
    }
    fn number(&mut self, name: &'static str, max: u64) -> Result<u64, JsonError> {
        let number: u64 = self.parse(name, "a whole number, not negative")?;
        if number > max {
            return Err(self.mismatch(name, &number.to_string(), &format!("at most {max}")));
        }
        Ok(number)
    }
    fn time(&mut self, name: &'static str) -> Result<u64, JsonError> {
        const WHAT: &str = "a time like \"2026-01-01T00:00:00.000Z\"";
        let found = self.take(name)?;
        let time = if found.starts_with('"') {
            serde_json::from_str::<String>(found)
                .ok()
                .and_then(|text| parse_rfc3339(&text))
        } else {
            // Only times that cannot be written as text are numbers.
            serde_json::from_str(found)
                .ok()
                .filter(|time| rfc3339(*time).is_none())
        };
        time.ok_or_else(|| self.mismatch(name, found, WHAT))
    }
    fn flag(&mut self, name: &'static str) -> Result<bool, JsonError> {
        self.parse(name, "true or false")
    }
    fn choice(&mut self, name: &'static str, names: &[&'static str]) -> Result<usize, JsonError> {
        let found = self.text(name)?;
        names
            .iter()
            .position(|known| *known == found)
            .ok_or_else(|| self.mismatch(name, &found, &format!("one of {}", names.join(", "))))
    }
    fn present(&mut self, name: &'static str) -> Result<bool, JsonError> {
        Ok(self.fields.contains_key(name) || self.fields.contains_key(&text_name(name)))
    }
    fn record<T>(
        &mut self,
        name: &'static str,
        fields: impl FnOnce(&mut Self) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        let path = self.path.iter().copied().chain([name]).collect();
        let mut inner = Reader::new(self.take(name)?, path)?;
        let record = fields(&mut inner)?;
        inner.end()?;
        Ok(record)
    }
}

/// The fields of a JSON object, each once, their values as they stand there.
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if fields.contains_key(&name) {
                        return Err(A::Error::custom(format_args!(
                            "the field `{name}` is there twice"
                        )));
                    }
                    fields.insert(name, value);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::samples;

    #[test]
    fn every_kind_comes_back() {
        for stored in samples::log() {
            let line = write_stored(&stored);
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(read_stored(&line), Ok(stored.clone()), "{line}");
            assert_eq!(read_event(&write_event(&stored.event)), Ok(stored.event));
        }
    }

    #[test]
    fn the_form_is_stable() {
        let log = samples::log();
        for (sequence, expected) in [
            (
                4,
                r#""type":"node_started","node_id":"a \"quoted\" node","worker_id":"w","attempt":4294967295,"fence":4}"#,
            ),
            (
                5,
                r#""node_id":"a","attempt":1,"fence":4,"output":null,"state_patch":{},"duration_ms":12}"#,
            ),
            (
                6,
                r#""output_text":"{\n  \"pretty\": true\n}","state_patch_text":" {}","duration_ms":12,"chosen_target":"b","gen_ai_system":"anthropic","gen_ai_model":"m","input_tokens":10,"output_tokens":18446744073709551615,"finish_reason":"stop","cost_usd":0.0100,"provenance":{"verified":true}}"#,
            ),
            (
                26,
                r#""payload":{"b":1.50,"a":[1e3, null],"ü\u00fc":"\"x\" \\ \ud83d\ude00","n":123456789012345678901234567890}}"#,
            ),
        ] {
            let line = write_event(&log[sequence - 1].event);
            assert!(line.ends_with(expected), "{line}");
        }
        let line = write_stored(&log[1]);
        assert!(
            line.starts_with(
                r#"{"sequence":2,"at":"2026-01-01T00:00:02.002Z","origin":"decision","hash":""#
            ),
            "{line}"
        );
        assert!(
            line.contains(
                r#""limits":{"max_concurrent_nodes":16,"max_dispatch_per_tick":8},"seed":1844"#
            ),
            "{line}"
        );
    }

    #[test]
    fn errors_name_the_field_and_the_remedy() {
        let good = r#"{"sequence":1,"at":"2026-01-01T00:00:00.000Z","origin":"fact","type":"node_timed_out","node_id":"a","attempt":2}"#;
        assert!(read_event(good).is_ok());
        for (from, to, expected) in [
            (
                "{",
                "",
                "field `the whole line`: it should be one JSON object: ",
            ),
            (
                r#""attempt":2"#,
                r#""attempt":2,"attempt":3"#,
                "field `the whole line`: it should be one JSON object: the field `attempt` is there twice at ",
            ),
            (
                r#","attempt":2"#,
                "",
                "field `attempt`: it is missing; add it, or take the line from the original",
            ),
            (
                ":2}",
                ":-2}",
                "field `attempt`: -2 should be a whole number, not negative",
            ),
            (
                ":2}",
                ":4294967296}",
                "field `attempt`: 4294967296 should be at most 4294967295",
            ),
            (
                ":2}",
                r#":2,"colour":"red"}"#,
                "field `colour`: there is no such field here; remove it",
            ),
            (r#""a","#, "17,", "field `node_id`: 17 should be a string"),
            (
                "node_timed_out",
                "node_melted",
                "field `type`: node_melted should be one of workflow_started, ",
            ),
            (
                r#"fact"#,
                r#"rumour"#,
                "field `origin`: rumour should be one of fact, decision",
            ),
            (
                "00.000Z",
                "00Z",
                r#"field `at`: "2026-01-01T00:00:00Z" should be a time like "2026-01-01T00:00:00.000Z""#,
            ),
        ] {
            let error = read_event(&good.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn errors_name_fields_of_inner_records() {
        let line = write_event(&samples::events()[1]);
        for (from, to, expected) in [
            (
                r#""max_concurrent_nodes":16"#,
                r#""max_concurrent_nodes":"x""#,
                "field `limits.max_concurrent_nodes`: \"x\" should be a whole number",
            ),
            (
                r#"{"max_concurrent_nodes":16"#,
                r#"{"x":1,"max_concurrent_nodes":16"#,
                "field `limits.x`: there is no such field",
            ),
            (
                r#""initial_input":"#,
                r#""initial_input_text":"x","initial_input":"#,
                "field `initial_input`: it is there twice",
            ),
        ] {
            let error = read_event(&line.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
