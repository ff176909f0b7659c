//! Reading the JSON form.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::JsonError;
use super::write::text_name;
use crate::log::digest::parse_hex;
use crate::log::field::Source;
use crate::log::{Hash, Salt, form};
use crate::time::{parse_rfc3339, rfc3339};

/// Reads one object. Fields leave it as they are read, so that in the end
/// those are left that nobody knows.
pub(in crate::log) struct Reader<'a> {
    fields: BTreeMap<String, &'a RawValue>,
    path: Vec<&'static str>,
    /// The fields that can be erased are not there.
    pub(super) is_erased: bool,
}

impl<'a> Reader<'a> {
    pub(in crate::log) fn new(text: &'a str, path: Vec<&'static str>) -> Result<Self, JsonError> {
        match serde_json::from_str::<Object<'a>>(text) {
            Ok(Object(fields)) => Ok(Self {
                fields,
                path,
                is_erased: false,
            }),
            Err(error) => Err(JsonError {
                field: if path.is_empty() {
                    "the whole line".to_owned()
                } else {
                    path.join(".")
                },
                problem: format!("it should be one JSON object: {error}"),
                is_newer: false,
            }),
        }
    }

    /// Nothing may be left: an unknown field could only be a mistake, or an
    /// edit that no hash covers.
    pub(in crate::log) fn end(&self) -> Result<(), JsonError> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(erased) if self.is_erased => {
                Err(self.error(erased, "an erased event has no such field; remove it"))
            }
            Some(unknown) => Err(self.error(unknown, "there is no such field here; remove it")),
        }
    }

    /// What is left is of a form that this program does not know, and is left aside.
    pub(in crate::log) fn leave_rest(&mut self) {
        self.fields.clear();
    }

    /// Whether this field is there, and has not been read.
    pub(in crate::log) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(in crate::log) fn error(&self, name: &str, problem: impl Into<String>) -> JsonError {
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
            is_newer: false,
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

    pub(super) fn salt(&mut self, name: &'static str) -> Result<Salt, JsonError> {
        let text = self.text(name)?;
        parse_hex(&text)
            .ok_or_else(|| self.mismatch(name, &text, "32 lower-case hexadecimal digits"))
    }

    pub(in crate::log) fn hash(&mut self, name: &'static str) -> Result<Hash, JsonError> {
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
    fn digest(&mut self, name: &'static str) -> Result<Hash, JsonError> {
        self.hash(name)
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
    fn kind(&mut self, name: &'static str, names: &[&'static str]) -> Result<usize, JsonError> {
        let found = self.text(name)?;
        form::position(&found, names).map_err(|unknown| match unknown {
            form::Unknown::Newer => JsonError {
                is_newer: true,
                ..self.error(
                    name,
                    format!("{found} is newer than this program; use a newer Refrain for it"),
                )
            },
            form::Unknown::None => {
                self.mismatch(name, &found, &format!("one of {}", names.join(", ")))
            }
        })
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
    fn late(&mut self, name: &'static str) -> Result<bool, JsonError> {
        self.present(name)
    }
    fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Result<T, JsonError>,
    ) -> Result<Vec<T>, JsonError> {
        if !self.present(name)? {
            return Ok(Vec::new());
        }
        let list = self.take(name)?;
        let records: Vec<&RawValue> =
            serde_json::from_str(list).map_err(|_| self.mismatch(name, list, "a list"))?;
        let mut all = Vec::new();
        for record in records {
            let path = self.path.iter().copied().chain([name]).collect();
            let mut inner = Reader::new(record.get(), path)?;
            all.push(read(&mut inner)?);
            inner.end()?;
        }
        Ok(all)
    }
    fn texts(&mut self, name: &'static str) -> Result<Vec<String>, JsonError> {
        match self.present(name)? {
            true => self.parse(name, "a list of strings"),
            false => Ok(Vec::new()),
        }
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
    fn is_erased(&self) -> bool {
        self.is_erased
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
