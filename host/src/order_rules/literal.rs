//! The literal parts of a node's kind whose texts hold expressions (rule R29).
//!
//! What expressions come to is the guest's word. All else of the kind is the
//! workflow's, to the letter: also what stands beside an expression in its text.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::queues;

/// The fields whose texts may hold expressions, by kind.
const FIELDS: [(&str, &[&str]); 2] = [
    ("command", &["argv", "cwd", "env"]),
    ("http", &["url", "headers", "body"]),
];

/// The fields of a task that hold none; all others may.
const OF_TASKS_LITERAL: [&str; 3] = ["type", "queue", "input_mapping"];

/// A kind, cut where a text holds expressions.
#[derive(Debug)]
pub(super) struct LiteralKind {
    texts: Vec<Placed>,
    /// The JSON after the last text.
    rest: Box<str>,
}

#[derive(Debug)]
struct Placed {
    /// The JSON before the text.
    before: Box<str>,
    text: LiteralText,
}

/// What is known of a text before its values are.
#[derive(Debug, PartialEq, Eq)]
enum LiteralText {
    /// It is one expression, and can become any value.
    AnyValue,
    /// What stands before, between and behind its expressions. One alone: it has none.
    Around(Vec<String>),
}

impl LiteralKind {
    /// The literal parts of a kind of this name, given as valid JSON. `None` if no text
    /// in it holds expressions.
    pub(super) fn of(name: &str, kind: &str) -> Option<Self> {
        let may_hold = |field: &str| match FIELDS.iter().find(|(of, _)| *of == name) {
            Some((_, fields)) => fields.contains(&field),
            None => name == queues::TASK && !OF_TASKS_LITERAL.contains(&field),
        };
        let (mut texts, mut from) = (Vec::new(), 0);
        for (place, field) in texts_within(kind) {
            let text: String = serde_json::from_str(&kind[place.clone()]).ok()?;
            if may_hold(&field)
                && let Some(text) = LiteralText::of(&text)
            {
                let before = kind[from..place.start].into();
                texts.push(Placed { before, text });
                from = place.end;
            }
        }
        let rest = kind[from..].into();
        (!texts.is_empty()).then_some(Self { texts, rest })
    }

    /// Whether this is the kind with values in the place of its expressions.
    pub(super) fn is_in(&self, kind: &str) -> bool {
        let mut rest = kind;
        for placed in &self.texts {
            let Some(from_value) = rest.strip_prefix(&*placed.before) else {
                return false;
            };
            let Some(value) = first_value(from_value) else {
                return false;
            };
            if !placed.text.may_become(value) {
                return false;
            }
            rest = &from_value[value.len()..];
        }
        *rest == *self.rest
    }
}

impl LiteralText {
    /// `None` if the text stands for itself.
    fn of(text: &str) -> Option<Self> {
        if !text.contains("${") {
            return None;
        }
        let (mut around, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(place) = rest.find("${") {
            let (before, after) = (&rest[..place], &rest[place + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = after;
            } else {
                literal.push_str(before);
                around.push(std::mem::take(&mut literal));
                rest = &after[expression_bytes(after)..];
            }
        }
        literal.push_str(rest);
        around.push(literal);
        if around.len() == 2 && around.iter().all(String::is_empty) {
            return Some(Self::AnyValue);
        }
        Some(Self::Around(around))
    }

    /// Whether this JSON can be what the text comes to. Null never is.
    fn may_become(&self, json: &str) -> bool {
        let around = match self {
            Self::AnyValue => return json != "null",
            Self::Around(around) => around,
        };
        let Ok(text) = serde_json::from_str::<String>(json) else {
            return false;
        };
        let Some((first, others)) = around.split_first() else {
            return false;
        };
        let Some((last, between)) = others.split_last() else {
            return text == *first;
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for literal in between {
            let Some(place) = rest.find(literal.as_str()) else {
                return false;
            };
            rest = &rest[place + literal.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

/// The bytes of an expression and of the brace behind it. A brace within a text of the
/// expression closes nothing.
fn expression_bytes(text: &str) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (place, byte) in text.bytes().enumerate() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if byte == b'\\' => escaped = true,
            Some(open) if byte == open => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if byte == b'}' => return place + 1,
            Some(_) | None => {}
        }
    }
    text.len()
}

/// The JSON value that a text begins with.
fn first_value(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(&text[..values.byte_offset()])
}

/// Where the texts of an object stand that are values, however deep, and in which of its
/// own fields.
fn texts_within(object: &str) -> Vec<(Range<usize>, String)> {
    let (mut texts, mut open, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut is_key = false;
    let mut place = 0;
    while let Some(byte) = object.as_bytes().get(place) {
        let mut end = place + 1;
        match byte {
            b'{' | b'[' => {
                open.push(*byte);
                is_key = *byte == b'{';
            }
            b'}' | b']' => {
                open.pop();
            }
            b',' => is_key = open.last() == Some(&b'{'),
            b':' => is_key = false,
            b'"' => {
                let text = first_value(&object[place..]).unwrap_or(&object[place..]);
                end = place + text.len();
                if !is_key {
                    texts.push((place..end, field.clone()));
                } else if open.len() == 1 {
                    field = serde_json::from_str(text).unwrap_or_default();
                }
            }
            _ => {}
        }
        place = end;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = r#"{"type":"command", "argv":["sh", "a ${state.x} b ${'}'}\n", "${input}", "$${HOME}"],"env":{"${A}":"${node_id}-"}, "input_mapping": {"x": "'${'"}}"#;

    #[test]
    fn r29_the_literal_parts_must_be_the_workflows() {
        let kind = LiteralKind::of("command", KIND).expect("it holds expressions");
        let good = r#"{"type":"command", "argv":["sh", "a 1 b 2\n", {"any": [1]}, "${HOME}"],"env":{"${A}":"x-"}, "input_mapping": {"x": "'${'"}}"#;
        assert!(kind.is_in(good));
        for (from, to) in [
            (r#""a 1 b 2\n""#, r#""a ${state.x} b }\n""#),
            (r#""a 1 b 2\n""#, r#""a  b  b \n""#),
            (r#""a 1 b 2\n""#, r#""a \u0031 b 2\u000a""#),
            (r#"{"any": [1]}"#, "1.50"),
            (r#""x-""#, r#""--""#),
        ] {
            assert!(kind.is_in(&good.replacen(from, to, 1)), "{to}");
        }
        for (from, to) in [
            (r#""sh""#, r#""zsh""#),
            (r#""a 1 b 2\n""#, r#""b 1 b 2\n""#),
            (r#""a 1 b 2\n""#, r#""a 1 c 2\n""#),
            (r#""a 1 b 2\n""#, r#""a 1 b 2""#),
            (r#""a 1 b 2\n""#, r#""a b\n""#),
            (r#""a 1 b 2\n""#, "7"),
            (r#"{"any": [1]}"#, "null"),
            (r#"{"any": [1]}"#, r#"1, "more""#),
            (r#""${HOME}""#, r#""$${HOME}""#),
            (r#""${HOME}""#, r#""/root""#),
            (r#""${A}":"#, r#""B":"#),
            (r#""x-""#, r#""x-", "PATH": """#),
            (r#""x-""#, r#""x""#),
            (r#""'${'""#, r#""1""#),
            (r#""type":"command", "#, r#""type":"command","#),
            ("}}", r#"},"cwd":"/"}"#),
            ("}}", "}} "),
        ] {
            let other = good.replacen(from, to, 1);
            assert_ne!(other, good, "{from}");
            assert!(!kind.is_in(&other), "{to}");
        }
        assert!(!kind.is_in(&good[..good.len() - 1]));
    }

    #[test]
    fn r29_kinds_without_expressions_have_no_such_parts() {
        for (name, kind) in [
            ("command", r#"{"type":"command","argv":["a$","{b}"]}"#),
            ("command", r#"{"argv":["a"],"input_mapping":{"a":"'${'"}}"#),
            ("command", r#"{"argv":["a"],"env":{"${x}":"b"}}"#),
            ("tool", r#"{"type":"tool","tool_ref":"${state.x}"}"#),
        ] {
            assert!(LiteralKind::of(name, kind).is_none(), "{kind}");
        }
        let escaped = r#"{"body":[{"a":"\u0024\u007bstate.x}"}]}"#;
        let kind = LiteralKind::of("http", escaped).expect("it holds one");
        assert!(kind.is_in(r#"{"body":[{"a":7}]}"#));
    }
}
