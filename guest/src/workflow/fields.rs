//! The fields of a JSON object, read one by one: what has the wrong type, is
//! missing or misspelled is reported, and reading goes on.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::{Faults, Place, quoted};
use super::syntax::expression;
use super::typed::{Object, Read, TEXT};
use crate::condition::{Expression, Roots};
use crate::json::{elements, members};
use crate::limits::{ID_BYTES_MAX, SPAN_MAX};
use crate::resembling::{of_one_beginning, resembling};
use crate::time::Millis;

/// A field that an object may have.
#[derive(Clone, Copy)]
pub(super) struct AllowedField<'k> {
    pub(super) name: &'k str,
    pub(super) effect: Effect,
}

/// Whether a field changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It does, or it is there for people to read.
    Some,
    /// It does not. It is accepted because JamJet writes it.
    None,
}

/// A field that has an effect, or that people read.
pub(super) const fn known(name: &str) -> AllowedField<'_> {
    AllowedField {
        name,
        effect: Effect::Some,
    }
}

/// The fields of one object.
pub(super) struct Fields<'a, 'p> {
    /// The object, as it is written.
    pub(super) json: &'a str,
    pub(super) place: &'p Place<'p>,
    pub(super) faults: &'p Faults,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// The fields of the object at `place`; None, and a fault, if it is none.
    pub(super) fn read(place: &'p Place<'p>, json: &'a str, faults: &'p Faults) -> Option<Self> {
        let Object(json) = value(place, json, faults)?;
        Some(Self {
            json,
            place,
            faults,
            members: members(json).collect(),
        })
    }

    /// The value of a field that must be there.
    pub(super) fn required<T: Read<'a>>(&self, name: &str) -> Option<T> {
        match self.raw(name) {
            Some(json) => self.typed(name, json),
            None => {
                let message = format!("the field `{name}` is missing");
                self.faults.report(
                    self.place,
                    message,
                    format!("add `{name}`, {}", T::EXPECTED),
                );
                None
            }
        }
    }

    /// The value of a field that may be left out or null.
    pub(super) fn optional<T: Read<'a>>(&self, name: &str) -> Option<T> {
        match self.raw(name) {
            None | Some("null") => None,
            Some(json) => self.typed(name, json),
        }
    }

    fn typed<T: Read<'a>>(&self, name: &str, json: &'a str) -> Option<T> {
        let example = EXAMPLES.iter().find(|(field, _)| *field == name);
        let example = example.map(|(_, example)| *example);
        value_like(&self.place.key(name), json, example, self.faults)
    }

    /// The value of a field that a table has checked: None where it is left out, null
    /// or faulty.
    pub(super) fn get<T: Read<'a>>(&self, name: &str) -> Option<T> {
        self.raw(name).and_then(|json| T::read(json.trim()))
    }

    /// Whether a field says something: it is there, and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|json| json.trim() != "null")
    }

    /// The JSON text of a field, if it is there.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, json)| *json)
    }

    /// Report the fields that are none of `known`, and note those that change
    /// nothing: no field is ignored in silence.
    pub(super) fn check_names<'k>(
        &self,
        known: impl IntoIterator<Item = AllowedField<'k>> + Clone,
    ) {
        self.check_names_or(known, |_| None);
    }

    /// The same, where a field may also belong elsewhere: what is told of it then.
    pub(super) fn check_names_or<'k>(
        &self,
        known: impl IntoIterator<Item = AllowedField<'k>> + Clone,
        elsewhere: impl Fn(&str) -> Option<String>,
    ) {
        for (name, json) in &self.members {
            let place = self.place.key(name);
            match known.clone().into_iter().find(|known| known.name == name) {
                Some(known) if known.effect == Effect::None && !is_empty(json) => {
                    self.faults.ignore(&place);
                }
                Some(_) => {}
                None => {
                    let message = format!("unknown field {}", quoted(name));
                    let names: Vec<&str> =
                        known.clone().into_iter().map(|known| known.name).collect();
                    let remedy = elsewhere(name).unwrap_or_else(|| remedy(name, &names));
                    self.faults.report(&place, message, remedy);
                }
            }
        }
    }

    /// Report the fields that look like one of `known`, and are none, where
    /// others may stand because a worker sees them.
    pub(super) fn refuse_misspelled<'k>(&self, known: impl IntoIterator<Item = &'k str> + Clone) {
        for (name, _) in &self.members {
            if known.clone().into_iter().any(|known| known == name) {
                continue;
            }
            if let Some(meant) = resembling(name, known.clone()) {
                self.faults.report(
                    &self.place.key(name),
                    format!("unknown field {}", quoted(name)),
                    format!(
                        "did you mean `{meant}`? If not, choose a name that does not look like it"
                    ),
                );
            }
        }
    }

    /// Report something about a field.
    pub(super) fn fault(&self, name: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.faults.report(&self.place.key(name), message, remedy);
    }

    /// The expression in a field that may be left out or null.
    pub(super) fn expression(&self, name: &str) -> Option<Expression> {
        let text: Cow<'_, str> = self.optional(name)?;
        expression(
            &self.place.key(name),
            &text,
            Roots::OF_CONDITIONS,
            self.faults,
        )
    }

    /// The same of an edge that is judged on a failure too.
    pub(super) fn expression_on_failure(&self, name: &str) -> Option<Expression> {
        let text: Cow<'_, str> = self.optional(name)?;
        expression(
            &self.place.key(name),
            &text,
            Roots::OF_FAILURES,
            self.faults,
        )
    }

    /// Report a span that is longer than any may be.
    pub(super) fn check_span(&self, name: &str, span: Millis) {
        if span > SPAN_MAX {
            let message = format!("{span} is longer than {SPAN_MAX}, a hundred years");
            let remedy = format!(
                "write at most {} seconds, or leave it out",
                SPAN_MAX.0 / 1000
            );
            self.fault(name, message, remedy);
        }
    }
}

/// Whether a value says nothing: what JamJet writes where there is nothing to
/// say.
fn is_empty(json: &str) -> bool {
    match json.as_bytes().first() {
        Some(b'{') => members(json).next().is_none(),
        Some(b'[') => elements(json).next().is_none(),
        _ => matches!(json, "null" | "false" | "\"\""),
    }
}

/// What to write instead of an unknown field.
fn remedy(name: &str, known: &[&str]) -> String {
    let meant = called_elsewhere(name, known)
        .or_else(|| resembling(name, known.iter().copied()))
        .or_else(|| of_one_beginning(name, known.iter().copied()));
    match meant {
        Some(meant) => format!("did you mean `{meant}`? If not, leave it out"),
        None => format!("use one of `{}`, or leave it out", known.join("`, `")),
    }
}

/// The one of these fields that has this name in other engines.
pub(super) fn called_elsewhere(name: &str, known: &[&str]) -> Option<&'static str> {
    CALLED_ELSEWHERE
        .iter()
        .find_map(|(other, ours)| (*other == name && known.contains(ours)).then_some(*ours))
}

/// Names that other engines have for what is meant here.
const CALLED_ELSEWHERE: [(&str, &str); 11] = [
    ("compensation", "compensate"),
    ("rollback", "compensate"),
    ("undo", "compensate"),
    ("if", "condition"),
    ("when", "condition"),
    ("retries", "retry_policy"),
    ("retry", "retry_policy"),
    ("timeout", "node_timeout_secs"),
    ("timeout_secs", "node_timeout_secs"),
    ("timeout_seconds", "timeouts"),
    ("id", "workflow_id"),
];

/// What to write in a field where many write something of another type.
const EXAMPLES: [(&str, &str); 4] = [
    ("version", "write it like \"1.0.0\", or leave it out"),
    ("tolerate", "write {\"failures\": 3} or {\"percent\": 10}"),
    (
        "retryable_on",
        "write a list, like [\"timeout\", \"io_error\"]",
    ),
    ("argv", "write a list of texts, like [\"ls\", \"-l\"]"),
];

/// The value at `place`; None, and a fault, if it has another type.
pub(super) fn value<'a, T: Read<'a>>(
    place: &Place<'_>,
    json: &'a str,
    faults: &Faults,
) -> Option<T> {
    value_like(place, json, None, faults)
}

/// The same; `example` is what to do about another type.
fn value_like<'a, T: Read<'a>>(
    place: &Place<'_>,
    json: &'a str,
    example: Option<&str>,
    faults: &Faults,
) -> Option<T> {
    let json = json.trim();
    let value = T::read(json);
    if value.is_none() {
        let message = format!("expected {}, found {}", T::EXPECTED, found(json));
        let remedy = match json.as_bytes().first() {
            _ if example.is_some() => example.unwrap_or_default().into(),
            // What YAML and people take for a number is perhaps meant as a text.
            Some(b'0'..=b'9' | b'-' | b't' | b'f') if T::EXPECTED == TEXT => {
                format!("write it in quotation marks: \"{json}\"")
            }
            _ => format!("write {} here", T::EXPECTED),
        };
        faults.report(place, message, remedy);
    }
    value
}

/// An id: of a workflow, a node, an external event.
pub(super) fn check_id(place: &Place<'_>, id: &str, faults: &Faults) {
    if id.is_empty() {
        faults.report(place, "an id may not be empty", "give it a name");
    } else if id.len() > ID_BYTES_MAX {
        let message = format!(
            "the id {} is {} bytes long, {ID_BYTES_MAX} are allowed",
            quoted(id),
            id.len()
        );
        faults.report(place, message, "give it a shorter name");
    } else if id.contains("${") {
        let message = format!(
            "the id {} would be taken as it is written: it holds no expressions",
            quoted(id)
        );
        faults.report(place, message, "write the name itself, without `${`");
    } else if id.chars().any(char::is_control) {
        faults.report(
            place,
            "an id may not hold control characters",
            "use letters, digits, `_` and `-`",
        );
    }
}

/// What the version of a workflow begins with that is known by its text (rule R1).
pub(super) const BY_TEXT: &str = "0.0.0+";

/// So many digits of its text's digest stand behind that.
pub(super) const BY_TEXT_DIGITS: usize = 12;

/// Whether a workflow that names no version can have this one.
pub(super) fn is_version_by_text(version: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    version
        .strip_prefix(BY_TEXT)
        .is_some_and(|digits| digits.len() == BY_TEXT_DIGITS && digits.bytes().all(is_digit))
}

/// Whether this is a version of three numbers.
pub(super) fn is_version(version: &str) -> bool {
    let is_number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok();
    version.split('.').count() == 3 && version.split('.').all(is_number)
}

fn found(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(b'-') => "a negative number",
        _ => "a number",
    }
}
