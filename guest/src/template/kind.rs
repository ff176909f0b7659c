//! A node's kind with expressions in its texts.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::text::{NoValue, TextTemplate};
use crate::condition::{Root, Scope};
use crate::json::{depth, push_quoted};
use crate::limits::{JSON_DEPTH_MAX, PAYLOAD_BYTES_MAX};

/// A node's kind, cut where a text holds expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct KindTemplate {
    texts: Vec<Placed>,
    /// What follows the last text, as it is written.
    rest: Box<str>,
    /// The texts into which the worker puts something: a JSON list of their pointers into
    /// the payload. `None` if there are none.
    for_worker: Option<Box<str>>,
}

/// A text, and its place.
#[derive(Clone, Debug, PartialEq)]
struct Placed {
    /// The JSON before it, as it is written.
    before: Box<str>,
    /// Where it stands, a JSON pointer into the node.
    pointer: Box<str>,
    /// In how many objects and lists of the kind it stands.
    depth: usize,
    text: TextTemplate,
}

/// Why a text has no value. It holds where it stands, a JSON pointer into the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// An expression in it came to null.
    Null(String),
    /// With it, the kind is larger or deeper than it may be.
    TooLarge(String),
}

impl Unresolved {
    /// The text at this pointer has no value.
    #[must_use]
    pub fn at(no_value: NoValue, pointer: &str) -> Self {
        match no_value {
            NoValue::Null => Self::Null(pointer.to_string()),
            NoValue::TooLarge => Self::TooLarge(pointer.to_string()),
        }
    }
}

impl KindTemplate {
    /// The kind of this JSON with these texts, in their order: where each begins and
    /// ends in it, its pointer into the node, in how many objects and lists it stands,
    /// and what it says. `at` is where the kind itself stands in the node. `None` if there
    /// are none.
    #[must_use]
    pub fn new(
        kind: &str,
        texts: Vec<(core::ops::Range<usize>, String, usize, TextTemplate)>,
        at: &str,
    ) -> Option<Self> {
        let mut from = 0;
        let mut placed = Vec::with_capacity(texts.len());
        for (place, pointer, depth, text) in texts {
            placed.push(Placed {
                before: kind[from..place.start].into(),
                pointer: pointer.into(),
                depth,
                text,
            });
            from = place.end;
        }
        (!placed.is_empty()).then(|| Self {
            for_worker: pointers_for_worker(&placed, at),
            texts: placed,
            rest: kind[from..].into(),
        })
    }

    /// The JSON list of the pointers of the texts into which the worker puts something;
    /// `None` if there are none.
    #[must_use]
    pub fn for_worker(&self) -> Option<&str> {
        self.for_worker.as_deref()
    }

    /// Whether an expression in it reads something that begins with this root.
    #[must_use]
    pub fn reads(&self, root: Root) -> bool {
        self.texts.iter().any(|placed| placed.text.reads(root))
    }

    /// Append the kind with its expressions resolved.
    ///
    /// # Errors
    /// The first text that has no value. What was appended then is of no use.
    pub fn push(&self, scope: &Scope<'_>, json: &mut String) -> Result<(), Unresolved> {
        let start = json.len();
        for placed in &self.texts {
            json.push_str(&placed.before);
            let value = json.len();
            placed
                .text
                .push_json(scope, json)
                .map_err(|no_value| Unresolved::at(no_value, &placed.pointer))?;
            let is_deep = placed.depth + depth(&json[value..]) > JSON_DEPTH_MAX;
            if is_deep || json.len() + self.rest.len() - start > PAYLOAD_BYTES_MAX {
                return Err(Unresolved::TooLarge(placed.pointer.to_string()));
            }
        }
        json.push_str(&self.rest);
        Ok(())
    }
}

fn pointers_for_worker(texts: &[Placed], at: &str) -> Option<Box<str>> {
    let mut json = String::new();
    for placed in texts.iter().filter(|placed| placed.text.is_for_worker()) {
        json.push(if json.is_empty() { '[' } else { ',' });
        let within = placed.pointer.strip_prefix(at).unwrap_or_default();
        push_quoted(&mut json, &["/kind", within].concat());
    }
    if json.is_empty() {
        return None;
    }
    json.push(']');
    Some(json.into())
}
