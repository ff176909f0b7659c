//! Texts of a payload that are templates for the worker (rule R29), as the contract has
//! them: where they stand, and what they hold.
//!
//! `${secret.NAME}` and `${execution_id}` are put in by the worker, `$${` is a literal
//! `${`, and `${'$'}` a dollar. A text that holds anything else behind `${` is none. Both
//! who checks what a scheduler orders and who puts the values in read texts by this.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::limits::SECRET_NAME_BYTES_MAX;

/// The member of a payload that lists the pointers of its templates, as it is spelt.
pub(crate) const TEMPLATES: &str = "\"templates\"";

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It is so in the text.
    Text(String),
    /// What the worker puts in.
    PutIn(PutIn),
}

/// What the worker puts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PutIn {
    /// The secret of this name.
    Secret(String),
    /// The execution's id.
    ExecutionId,
}

impl PutIn {
    /// What stands between `${` and `}`, if it is this.
    pub(crate) fn read(inner: &str) -> Option<Self> {
        match inner.strip_prefix("secret.") {
            Some(name) => is_name(name).then(|| Self::Secret(name.to_owned())),
            None => (inner == "execution_id").then_some(Self::ExecutionId),
        }
    }
}

/// Whether a secret can have this name: that of a variable of an environment.
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    (1..=SECRET_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(is_part)
        && !name.as_bytes()[0].is_ascii_digit()
}

/// The parts of a template; no two texts follow each other. `None` if it is none.
pub(crate) fn parts(template: &str) -> Option<Vec<Part>> {
    let (mut parts, mut text, mut rest) = (Vec::new(), String::new(), template);
    while let Some(place) = rest.find("${") {
        let (before, inner) = (&rest[..place], &rest[place + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            text.push_str(before);
            text.push_str("${");
            rest = inner;
            continue;
        }
        text.push_str(before);
        let end = inner.find('}')?;
        rest = &inner[end + 1..];
        if &inner[..end] == "'$'" {
            text.push('$');
            continue;
        }
        let put_in = PutIn::read(&inner[..end])?;
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::PutIn(put_in));
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Some(parts)
}

/// The expressions in a text of a workflow, as they are written between `${` and `}`, but
/// for what the worker puts in. Quotation marks within one may hold a `}`.
pub(crate) fn expressions(text: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(place) = rest.find("${") {
        let (before, inner) = (&rest[..place], &rest[place + 2..]);
        if before.ends_with('$') {
            rest = inner;
            continue;
        }
        let end = end_of_expression(inner);
        let expression = inner[..end].trim();
        if PutIn::read(expression).is_none() {
            found.push(expression);
        }
        rest = &inner[end..];
    }
    found
}

/// Where the `}` stands that ends an expression; the end of the text where there is none.
fn end_of_expression(inner: &str) -> usize {
    let (mut quote, mut is_escaped) = (None, false);
    for (place, sign) in inner.char_indices() {
        match (quote, sign) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), sign) if sign == open => quote = None,
            (None, '\'' | '"') => quote = Some(sign),
            (None, '}') => return place,
            _ => {}
        }
    }
    inner.len()
}

/// A text that is a value, in the JSON of a node's kind.
#[derive(Debug)]
pub(crate) struct TextPlace {
    /// Where it stands in the JSON, its quotes included.
    pub(crate) range: Range<usize>,
    /// The field of the kind that it stands in.
    pub(crate) field: String,
    /// Its JSON pointer into the node, and into the payload; empty where nothing in it can
    /// begin an expression.
    pub(crate) pointer: String,
}

/// Where the next value stands.
enum Step {
    /// In an object, under this key, as it is written.
    Key(Range<usize>),
    /// In a list, after so many others.
    Index(usize),
}

/// The texts of a kind, however deep, in their order. The JSON must be valid.
pub(crate) fn texts_within(kind: &str) -> Vec<TextPlace> {
    let (mut texts, mut open, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut is_key, mut place) = (false, 0);
    while let Some(byte) = kind.as_bytes().get(place) {
        let mut end = place + 1;
        match byte {
            b'{' | b'[' => {
                is_key = *byte == b'{';
                open.push(if is_key {
                    Step::Key(0..0)
                } else {
                    Step::Index(0)
                });
            }
            b'}' | b']' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                _ => is_key = true,
            },
            b':' => is_key = false,
            b'"' => {
                let text = first_value(&kind[place..]).unwrap_or(&kind[place..]);
                end = place + text.len();
                if !is_key {
                    let may_hold = text.contains("${") || text.contains('\\');
                    texts.push(TextPlace {
                        range: place..end,
                        field: field.clone(),
                        pointer: if may_hold {
                            pointer(kind, &open)
                        } else {
                            String::new()
                        },
                    });
                } else if let Some(Step::Key(key)) = open.last_mut() {
                    *key = place..end;
                    if open.len() == 1 {
                        field = serde_json::from_str(text).unwrap_or_default();
                    }
                }
            }
            _ => {}
        }
        place = end;
    }
    texts
}

fn pointer(kind: &str, open: &[Step]) -> String {
    let mut pointer = "/kind".to_owned();
    for step in open {
        pointer.push('/');
        match step {
            Step::Index(index) => pointer.push_str(&index.to_string()),
            Step::Key(key) => {
                let key: String = serde_json::from_str(&kind[key.clone()]).unwrap_or_default();
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
        }
    }
    pointer
}

/// The JSON value that a text begins with.
pub(crate) fn first_value(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(&text[..values.byte_offset()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str) -> Option<String> {
        let part = |part: Part| match part {
            Part::Text(text) => text,
            Part::PutIn(PutIn::Secret(name)) => format!("<{name}>"),
            Part::PutIn(PutIn::ExecutionId) => "<>".to_owned(),
        };
        let parts = parts(template)?.into_iter().map(part);
        Some(parts.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn r29_a_template_is_read_as_the_contract_has_it() {
        for (template, expected) in [
            ("", Some("")),
            ("a $ {b}", Some("a $ {b}")),
            ("${secret.A_1}", Some("<A_1>")),
            ("a ${secret.A}${execution_id}.", Some("a |<A>|<>|.")),
            ("$${secret.A} ${secret.B}", Some("${secret.A} |<B>")),
            ("$$${secret.A}", Some("$${secret.A}")),
            ("${'$'}${'$'}${secret.B}$", Some("$$|<B>|$")),
            ("${secret.A", None),
            ("${secret.}", None),
            ("${secret.1A}", None),
            ("${secret.A-B}", None),
            ("${ secret.A}", None),
            ("${state.x}", None),
        ] {
            assert_eq!(read(template).as_deref(), expected, "{template}");
        }
    }

    #[test]
    fn r29_the_expressions_of_a_text_are_found() {
        for (text, expected) in [
            ("plain $ {x}", &[] as &[&str]),
            ("${a}", &["a"]),
            (
                "x ${ a } ${b['}']} ${c + \"\\\"}\"}!",
                &["a", "b['}']", "c + \"\\\"}\""],
            ),
            ("$${a} ${secret.K} ${execution_id} ${b}", &["b"]),
            ("${a", &["a"]),
        ] {
            assert_eq!(expressions(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_of_a_kind_are_found_with_their_pointers() {
        let kind =
            r#"{"a":"x","b/c":[1,{"d~":"${1}"},"\u0024{2}"], "e":{"f":{},"g":["h"],"i":"${3}"}}"#;
        let found = texts_within(kind).into_iter();
        let found: Vec<_> = found
            .map(|it| format!("{} {} {}", &kind[it.range], it.field, it.pointer))
            .collect();
        assert_eq!(
            found,
            [
                r#""x" a "#,
                r#""${1}" b/c /kind/b~1c/1/d~0"#,
                r#""\u0024{2}" b/c /kind/b~1c/2"#,
                r#""h" e "#,
                r#""${3}" e /kind/e/i"#,
            ]
        );
    }
}
