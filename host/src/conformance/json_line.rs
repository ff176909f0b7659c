//! One line of a log as JSON whose members are edited, and all others stay as they are
//! spelled.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What keeps a value from being edited, as the end of a sentence.
pub(super) type Problem = String;

/// The text with this value at a JSON pointer; an object that has no such member gets it as
/// its last.
pub(super) fn set(text: &str, pointer: &str, to: &str) -> Result<String, Problem> {
    edited(text, &steps(pointer)?, Some(to))
}

/// The text without the member at a JSON pointer, which is there.
pub(super) fn unset(text: &str, pointer: &str) -> Result<String, Problem> {
    edited(text, &steps(pointer)?, None)
}

/// The text of a member of an object. `None` if there is none.
pub(super) fn member<'a>(text: &'a str, name: &str) -> Result<Option<&'a str>, Problem> {
    let members = members(text)?;
    let found = members.into_iter().find(|(key, _)| key == name);
    Ok(found.map(|(_, value)| value.get()))
}

/// The keys of a pointer, which has at least one. No key here needs an escape.
fn steps(pointer: &str) -> Result<Vec<&str>, Problem> {
    match pointer.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').collect()),
        None => Err(format!("{pointer:?} is no JSON pointer to a member")),
    }
}

fn edited(text: &str, steps: &[&str], to: Option<&str>) -> Result<String, Problem> {
    let Some((step, rest)) = steps.split_first() else {
        return to
            .map(str::to_owned)
            .ok_or_else(|| "it is no member".to_owned());
    };
    match text.starts_with('[') {
        true => in_list(text, step, rest, to),
        false => in_object(text, step, rest, to),
    }
}

fn in_object(text: &str, step: &str, rest: &[&str], to: Option<&str>) -> Result<String, Problem> {
    let mut written = Vec::new();
    let mut is_found = false;
    for (key, value) in members(text)? {
        let is_it = key == step && !is_found;
        is_found |= is_it;
        let value = match (is_it, rest.is_empty(), to) {
            (true, true, None) => continue,
            (true, ..) => edited(value.get(), rest, to)?,
            (false, ..) => value.get().to_owned(),
        };
        written.push(format!("{}:{value}", quoted(&key)));
    }
    match (is_found, to) {
        (true, _) => {}
        (false, Some(to)) if rest.is_empty() => written.push(format!("{}:{to}", quoted(step))),
        (false, _) => return Err(format!("there is no member {step:?}")),
    }
    Ok(format!("{{{}}}", written.join(",")))
}

fn in_list(text: &str, step: &str, rest: &[&str], to: Option<&str>) -> Result<String, Problem> {
    let elements: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| format!("it is no list: {error}"))?;
    let index: usize = step
        .parse()
        .map_err(|_| format!("{step:?} is no place in a list"))?;
    if index >= elements.len() {
        return Err(format!("the list has no element {index}"));
    }
    let mut written = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        if at != index {
            written.push(element.get().to_owned());
        } else if !rest.is_empty() || to.is_some() {
            written.push(edited(element.get(), rest, to)?);
        }
    }
    Ok(format!("[{}]", written.join(",")))
}

fn quoted(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}

/// The members of an object in their order, their values as they stand there.
fn members(text: &str) -> Result<Vec<(String, &RawValue)>, Problem> {
    let object: Object<'_> =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON object: {error}"))?;
    Ok(object.0)
}

struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_edited_and_the_rest_stays_as_it_is_spelled() {
        let text = r#"{"a":1.50,"b":{"c":[1e3, {"d":"\u00fc"}]}}"#;
        for (pointer, to, expected) in [
            (
                "/a",
                Some("7"),
                r#"{"a":7,"b":{"c":[1e3, {"d":"\u00fc"}]}}"#,
            ),
            (
                "/b/c/1/d",
                Some("0"),
                r#"{"a":1.50,"b":{"c":[1e3,{"d":0}]}}"#,
            ),
            ("/b/c/0", None, r#"{"a":1.50,"b":{"c":[{"d":"\u00fc"}]}}"#),
            ("/a", None, r#"{"b":{"c":[1e3, {"d":"\u00fc"}]}}"#),
            (
                "/e",
                Some("[]"),
                r#"{"a":1.50,"b":{"c":[1e3, {"d":"\u00fc"}]},"e":[]}"#,
            ),
        ] {
            let edited = match to {
                Some(to) => set(text, pointer, to),
                None => unset(text, pointer),
            };
            assert_eq!(edited.as_deref(), Ok(expected), "{pointer}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_edited() {
        for (text, pointer, expected) in [
            ("{}", "a", "is no JSON pointer"),
            ("{}", "/a", "there is no member \"a\""),
            ("[]", "/0", "the list has no element 0"),
            ("[1]", "/x", "is no place in a list"),
            ("7", "/a", "it is no JSON object"),
        ] {
            let error = unset(text, pointer).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(member(r#"{"a":[ 1]}"#, "a"), Ok(Some("[ 1]")));
        assert_eq!(member("{}", "a"), Ok(None));
    }
}
