//! Writing the JSON form.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::log::Hash;
use crate::log::digest::hex;
use crate::log::field::Sink;
use crate::time::rfc3339;

/// An object in the making.
pub(in crate::log) struct Writer {
    text: String,
    /// Whether the fields that can be erased are left out.
    is_erased: bool,
    /// Payloads of more bytes than these are cut.
    payload_bytes_max: usize,
}

impl Writer {
    /// An object without any field yet.
    pub(in crate::log) fn new() -> Self {
        let mut text = String::with_capacity(256);
        text.push('{');
        Self {
            text,
            is_erased: false,
            payload_bytes_max: usize::MAX,
        }
    }

    /// The same for an event whose erasable fields are gone.
    pub(super) fn erased() -> Self {
        Self {
            is_erased: true,
            ..Self::new()
        }
    }

    /// The same with payloads that are cut where they are longer than so many bytes.
    pub(super) fn cutting(payload_bytes_max: usize) -> Self {
        Self {
            payload_bytes_max,
            ..Self::new()
        }
    }

    /// The text of the object.
    pub(in crate::log) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    /// A field with this JSON text.
    pub(in crate::log) fn field(&mut self, name: &str, json: &str) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        self.text.extend(["\"", name, "\":", json]);
    }
}

impl Sink for Writer {
    fn text(&mut self, name: &'static str, value: &str) {
        self.field(name, &Value::from(value).to_string());
    }
    fn json(&mut self, name: &'static str, value: &str) {
        if value.len() > self.payload_bytes_max {
            let end = value.floor_char_boundary(self.payload_bytes_max);
            let cut = format!("{}…", &value[..end]);
            self.field(name, &Value::from(cut).to_string());
        } else if embeds(value) {
            self.field(name, value);
        } else {
            self.field(&text_name(name), &Value::from(value).to_string());
        }
    }
    fn digest(&mut self, name: &'static str, value: &Hash) {
        self.text(name, &hex(value));
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
    fn late(&mut self, _name: &'static str) {}
    fn list<T>(&mut self, name: &'static str, records: &[T], write: impl Fn(&T, &mut Self)) {
        if records.is_empty() {
            return;
        }
        self.field(name, "[");
        for record in records {
            if !self.text.ends_with('[') {
                self.text.push(',');
            }
            self.text.push('{');
            write(record, self);
            self.text.push('}');
        }
        self.text.push(']');
    }
    fn texts(&mut self, name: &'static str, values: &[String]) {
        if !values.is_empty() {
            self.field(name, &Value::from(values).to_string());
        }
    }
    fn record(&mut self, name: &'static str, fields: impl FnOnce(&mut Self)) {
        self.field(name, "{");
        fields(self);
        self.text.push('}');
    }
    fn erasable(&mut self, fields: impl FnOnce(&mut Self)) {
        if !self.is_erased {
            fields(self);
        }
    }
}

/// Whether this text reads back as it is when it is embedded in a line of
/// JSON.
fn embeds(text: &str) -> bool {
    !text.contains(['\n', '\r'])
        && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text)
}

/// `output` has its text form in `output_text`.
pub(super) fn text_name(name: &str) -> String {
    format!("{name}_text")
}
