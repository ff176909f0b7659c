//! A JSON object by key, each value verbatim: the state, a patch.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use serde_json::value::RawValue;

use super::check::{Malformed, check};

/// A JSON object: its keys sorted by their UTF-8 bytes, its values verbatim.
#[derive(Clone, Debug, Default)]
pub struct Object {
    members: BTreeMap<String, Box<RawValue>>,
    /// What the members need as text, so that nobody has to write them to know.
    bytes: usize,
}

/// The quotes, the colon and the comma of a member.
const SIGNS_BYTES: usize = 4;

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
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(text).map_err(|_| Malformed {
                pointer: String::new(),
                offset: 0,
                message: "expected a JSON object".to_owned(),
            })?;
        let bytes = members.iter().map(|(key, value)| size(key, value)).sum();
        Ok(Self { members, bytes })
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.members.get(key).map(|value| value.get())
    }

    /// The keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_str(), &**value))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Take over the keys of `patch`; one that is here already is replaced
    /// (rule R10).
    pub fn merge(&mut self, patch: Self) {
        for (key, value) in patch.members {
            self.put(key, value);
        }
    }

    /// How many bytes the object has as text, not counting the escapes of its
    /// keys, once `patch` is merged into it.
    #[must_use]
    pub fn bytes_with(&self, patch: &Self) -> usize {
        let replaced: usize = patch
            .members
            .keys()
            .filter_map(|key| self.members.get_key_value(key))
            .map(|(key, value)| size(key, value))
            .sum();
        self.bytes + patch.bytes - replaced
    }

    /// Set one key. `value` must be JSON that [`check`] accepts.
    pub fn insert(&mut self, key: String, value: &str) {
        let value = RawValue::from_string(value.to_owned()).expect("checked JSON is JSON");
        self.put(key, value);
    }

    fn put(&mut self, key: String, value: Box<RawValue>) {
        let replaced = self
            .members
            .get(&key)
            .map_or(0, |before| size(&key, before));
        self.bytes = self.bytes + size(&key, &value) - replaced;
        self.members.insert(key, value);
    }

    /// The object as text: keys sorted, values verbatim, nothing between.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.members).expect("texts and verbatim values can be written")
    }
}

fn size(key: &str, value: &RawValue) -> usize {
    key.len() + SIGNS_BYTES + value.get().len()
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
            let patch = Object::parse(patch).unwrap();
            let foretold = state.bytes_with(&patch);
            state.merge(patch);
            assert_eq!(state.to_text(), expected);
            let read = Object::parse(expected).unwrap();
            assert_eq!((&read, read.bytes), (&state, state.bytes));
            assert_eq!(foretold, state.bytes);
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
