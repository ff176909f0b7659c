//! A JSON object by key, each value verbatim: the state, a patch.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::check::{Malformed, check_object};
use super::quote::push_quoted;

/// A JSON object: its keys sorted by their UTF-8 bytes, its values verbatim.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Each value is JSON that was checked.
    members: BTreeMap<String, Box<str>>,
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
    /// The text is no JSON (see [`check`](super::check())), or no object.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut object = Self::new();
        check_object(text, |key, value| {
            object.put(key.into_owned(), value.into());
        })?;
        Ok(object)
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.members.get(key).map(|value| &**value)
    }

    /// The keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
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

    /// Set one key. `value` must be JSON that [`check`](super::check())
    /// accepts.
    pub fn insert(&mut self, key: String, value: &str) {
        self.put(key, value.trim_ascii().into());
    }

    fn put(&mut self, key: String, value: Box<str>) {
        let key_bytes = key.len() + SIGNS_BYTES;
        self.bytes += key_bytes + value.len();
        if let Some(replaced) = self.members.insert(key, value) {
            self.bytes -= key_bytes + replaced.len();
        }
    }

    /// The object as text: keys sorted, values verbatim, nothing between.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.bytes + 2);
        self.push_text(&mut text);
        text
    }

    /// Append the object as text.
    pub fn push_text(&self, text: &mut String) {
        text.push('{');
        for (place, (key, value)) in self.members.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            push_quoted(text, key);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
    }
}

fn size(key: &str, value: &str) -> usize {
    key.len() + SIGNS_BYTES + value.len()
}

impl PartialEq for Object {
    /// Equal as text: number spellings count.
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members
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
