//! A JSON object by key, each value verbatim: the state, a patch.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use serde_json::value::RawValue;

use super::check::{Malformed, check};

/// A JSON object: its keys sorted by their UTF-8 bytes, its values verbatim.
#[derive(Clone, Debug, Default)]
pub struct Object(BTreeMap<String, Box<RawValue>>);

impl Object {
    /// The object without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Read an object.
    ///
    /// # Errors
    /// The text is no JSON (see [`check`]), or no object.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        check(text)?;
        serde_json::from_str(text).map(Self).map_err(|_| Malformed {
            pointer: String::new(),
            offset: 0,
            message: "expected a JSON object".to_owned(),
        })
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.get())
    }

    /// The keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Take over the keys of `patch`; one that is here already is replaced
    /// (rule R10).
    pub fn merge(&mut self, patch: Self) {
        self.0.extend(patch.0);
    }

    /// Set one key. `value` must be JSON that [`check`] accepts.
    pub fn insert(&mut self, key: String, value: &str) {
        let value = RawValue::from_string(value.to_owned()).expect("checked JSON is JSON");
        self.0.insert(key, value);
    }

    /// The object as text: keys sorted, values verbatim, nothing between.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).expect("texts and verbatim values can be written")
    }
}

impl PartialEq for Object {
    /// Equal as text: number spellings count.
    fn eq(&self, other: &Self) -> bool {
        self.iter()
            .map(|(key, value)| (key, value.get()))
            .eq(other.iter().map(|(key, value)| (key, value.get())))
    }
}

impl Eq for Object {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r10_merge_replaces_top_level_keys_and_keeps_spellings() {
        let mut state = Object::new();
        let rows = [
            (
                r#"{"b": 1.50, "a": {"x": 1}}"#,
                r#"{"a":{"x": 1},"b":1.50}"#,
            ),
            (r#"{ "a" : { "y" :2} }"#, r#"{"a":{ "y" :2},"b":1.50}"#),
            (
                r#"{"\u00e9\n":[1e400]}"#,
                "{\"a\":{ \"y\" :2},\"b\":1.50,\"é\\n\":[1e400]}",
            ),
            ("{}", "{\"a\":{ \"y\" :2},\"b\":1.50,\"é\\n\":[1e400]}"),
        ];
        for (patch, expected) in rows {
            state.merge(Object::parse(patch).unwrap());
            assert_eq!(state.to_text(), expected);
            assert_eq!(Object::parse(expected).unwrap(), state);
        }
        assert_eq!(state.value("b"), Some("1.50"));
        assert_eq!(state.value("c"), None);
        state.insert("c".into(), "[ ]");
        assert_eq!(state.value("c"), Some("[ ]"));
        assert_eq!(state.len(), 4);
    }

    #[test]
    fn r10_only_objects() {
        for text in ["[]", "1", "null", r#""{}""#] {
            assert_eq!(
                Object::parse(text).unwrap_err().message,
                "expected a JSON object",
                "{text}"
            );
        }
        assert_eq!(
            Object::parse(r#"{"a":{"b":1,"b":2}}"#).unwrap_err().pointer,
            "/a/b"
        );
    }
}
