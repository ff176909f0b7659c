//! Where two JSON values differ, as JSON pointers.

use serde::Serialize;
use serde_json::Value;

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Its place, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The value that should be there. `None` if none should.
    pub expected: Option<Value>,
    /// The value that is there. `None` if there is none.
    pub found: Option<Value>,
}

/// The places in which two values differ, in the order of the pointers.
#[must_use]
pub fn differences(expected: &Value, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    // The values' nesting is bounded by the JSON depth limit of what is
    // stored, but a list of places costs no stack at all.
    let mut places = vec![(String::new(), Some(expected), Some(found))];
    while let Some((pointer, expected, found)) = places.pop() {
        match (expected, found) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
                places.extend(keys.map(|key| {
                    (
                        format!("{pointer}/{}", escaped(key)),
                        a.get(key),
                        b.get(key),
                    )
                }));
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                let indexes = 0..a.len().max(b.len());
                places.extend(indexes.map(|i| (format!("{pointer}/{i}"), a.get(i), b.get(i))));
            }
            (a, b) if a == b => {}
            (a, b) => all.push(Difference {
                pointer,
                expected: a.cloned(),
                found: b.cloned(),
            }),
        }
    }
    all.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    all
}

/// A key, as it is written in a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_every_place_once() {
        let table = [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (json!({"a": 1}), json!({"a": 2}), vec!["/a"]),
            (json!({"a": 1}), json!({"b": 1}), vec!["/a", "/b"]),
            (
                json!({"a": {"b": [1, 2]}}),
                json!({"a": {"b": [1, 3, 4]}}),
                vec!["/a/b/1", "/a/b/2"],
            ),
            (
                json!({"a/b": 1, "c~d": 1}),
                json!({"a/b": 2, "c~d": 2}),
                vec!["/a~1b", "/c~0d"],
            ),
            (json!({"a": {}}), json!({"a": []}), vec!["/a"]),
            (json!(1), json!(2), vec![""]),
        ];
        for (expected, found, pointers) in table {
            let got: Vec<String> = differences(&expected, &found)
                .into_iter()
                .map(|d| d.pointer)
                .collect();
            assert_eq!(got, pointers, "{expected} against {found}");
        }
    }
}
