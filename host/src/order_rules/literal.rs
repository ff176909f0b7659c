//! The literal parts of a node's kind whose texts hold expressions (rule R29).
//!
//! What expressions come to is the guest's word. All else of the kind is the
//! workflow's, to the letter: also what stands beside an expression in its text. Of what
//! the worker puts in, nothing is the guest's: neither what it is, nor where.

use crate::queues;
use crate::templates::{Part, PutIn, first_value, parts, texts_within};

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
    /// The pointers of the texts into which the worker puts something, in their order.
    for_worker: Vec<String>,
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
    /// What stands before, between and behind its expressions.
    Around(Around),
    /// What the worker puts in, and what stands before, between and behind that. The
    /// latter is one more.
    ForWorker(Vec<PutIn>, Vec<Around>),
}

/// What stands before, between and behind the expressions of a text. One alone: it has
/// none.
#[derive(Debug, PartialEq, Eq)]
struct Around(Vec<String>);

impl LiteralKind {
    /// The literal parts of a kind of this name, given as valid JSON. `None` if no text
    /// in it holds expressions.
    pub(super) fn of(name: &str, kind: &str) -> Option<Self> {
        let may_hold = |field: &str| match FIELDS.iter().find(|(of, _)| *of == name) {
            Some((_, fields)) => fields.contains(&field),
            None => name == queues::TASK && !OF_TASKS_LITERAL.contains(&field),
        };
        let (mut texts, mut for_worker, mut from) = (Vec::new(), Vec::new(), 0);
        for place in texts_within(kind) {
            let text: String = serde_json::from_str(&kind[place.range.clone()]).ok()?;
            if may_hold(&place.field)
                && let Some(text) = LiteralText::of(&text)
            {
                let before = kind[from..place.range.start].into();
                if matches!(text, LiteralText::ForWorker(..)) {
                    for_worker.push(place.pointer);
                }
                texts.push(Placed { before, text });
                from = place.range.end;
            }
        }
        let rest = kind[from..].into();
        (!texts.is_empty()).then_some(Self {
            texts,
            rest,
            for_worker,
        })
    }

    /// The pointers of the texts into which the worker puts something, in their order.
    pub(super) fn for_worker(&self) -> &[String] {
        &self.for_worker
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
        let (mut puts_in, mut between) = (Vec::new(), Vec::new());
        let (mut around, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(place) = rest.find("${") {
            let (before, after) = (&rest[..place], &rest[place + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = after;
                continue;
            }
            literal.push_str(before);
            around.push(std::mem::take(&mut literal));
            let bytes = expression_bytes(after);
            let inner = after[..bytes].strip_suffix('}').unwrap_or(after);
            if let Some(put_in) = PutIn::read(inner.trim()) {
                puts_in.push(put_in);
                between.push(Around(std::mem::take(&mut around)));
            }
            rest = &after[bytes..];
        }
        literal.push_str(rest);
        around.push(literal);
        if !puts_in.is_empty() {
            between.push(Around(around));
            return Some(Self::ForWorker(puts_in, between));
        }
        if around.len() == 2 && around.iter().all(String::is_empty) {
            return Some(Self::AnyValue);
        }
        Some(Self::Around(Around(around)))
    }

    /// Whether this JSON can be what the text comes to. Null never is.
    fn may_become(&self, json: &str) -> bool {
        let text = || serde_json::from_str::<String>(json).ok();
        match self {
            Self::AnyValue => json != "null",
            Self::Around(around) => text().is_some_and(|text| around.is_in(&text)),
            Self::ForWorker(puts_in, between) => text()
                .and_then(|text| parts(&text))
                .is_some_and(|parts| are_of(parts, puts_in, between)),
        }
    }
}

/// Whether these are the parts of a template into which just this is put in, in this
/// order, with such texts between.
fn are_of(parts: Vec<Part>, puts_in: &[PutIn], between: &[Around]) -> bool {
    let (mut found, mut texts) = (Vec::new(), vec![String::new()]);
    for part in parts {
        match part {
            Part::PutIn(put_in) => {
                found.push(put_in);
                texts.push(String::new());
            }
            Part::Text(text) => texts.last_mut().into_iter().for_each(|it| *it += &text),
        }
    }
    found == puts_in && between.iter().zip(texts).all(|(it, text)| it.is_in(&text))
}

impl Around {
    /// Whether this is the text, with values in the place of its expressions.
    fn is_in(&self, text: &str) -> bool {
        let Some((first, others)) = self.0.split_first() else {
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

    #[test]
    fn r29_a_guest_adds_nothing_to_what_the_worker_puts_in() {
        let kind = r#"{"headers":{"A":"Bearer ${ secret.KEY }","B":"${state.x}-${secret.K}-${execution_id}"},"url":"${state.u}"}"#;
        let read = LiteralKind::of("http", kind).expect("it holds some");
        assert_eq!(read.for_worker(), ["/kind/headers/A", "/kind/headers/B"]);
        let good = r#"{"headers":{"A":"Bearer ${secret.KEY}","B":"x-${secret.K}-${execution_id}"},"url":"http://h"}"#;
        assert!(read.is_in(good));
        for (from, to) in [
            (r#""x-"#, r#""$${secret.X}-"#),
            (r#""x-"#, r#""${'$'}-"#),
            ("http://h", "${secret.X}"),
        ] {
            assert!(read.is_in(&good.replacen(from, to, 1)), "{to}");
        }
        for (from, to) in [
            ("secret.KEY", "secret.OTHER"),
            ("secret.KEY", " secret.KEY "),
            ("${secret.KEY}", "$${secret.KEY}"),
            ("${secret.KEY}", "value"),
            ("${secret.KEY}", "${execution_id}"),
            (r#""x-"#, r#""${secret.X}-"#),
            (r#""x-"#, r#""${state.x}-"#),
            (r#""x-"#, r#""x-${secret.K}-"#),
            (r#""x-"#, r#""x"#),
            ("${secret.K}-${execution_id}", "${execution_id}-${secret.K}"),
            (r#""Bearer ${secret.KEY}""#, "7"),
        ] {
            let other = good.replacen(from, to, 1);
            assert_ne!(other, good, "{from}");
            assert!(!read.is_in(&other), "{to}");
        }
    }
}
