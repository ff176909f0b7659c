//! Faults: what is wrong with a workflow, where, and what to do about it. And
//! what is not wrong, but has no effect.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::contract::Fault;
use crate::json::push_pointer;
use crate::limits::{FAULTS_MAX, IGNORED_NAMED_MAX};

/// A place in the workflow's JSON. It becomes a text only when it is needed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'p> {
    Top,
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    pub(super) fn key<'q>(&'q self, key: &'q str) -> Place<'q> {
        Place::Key(self, key)
    }

    pub(super) fn index(&self, index: usize) -> Place<'_> {
        Place::Index(self, index)
    }

    /// The place as a JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write(&mut pointer);
        pointer
    }

    /// Recurses as deep as the form of a workflow is nested, a handful.
    fn write(&self, pointer: &mut String) {
        match self {
            Self::Top => {}
            Self::Key(parent, key) => {
                parent.write(pointer);
                push_pointer(pointer, key);
            }
            Self::Index(parent, index) => {
                parent.write(pointer);
                push_pointer(pointer, &index.to_string());
            }
        }
    }
}

/// The faults found so far, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Found>);

#[derive(Debug, Default)]
struct Found {
    reported: Vec<Fault>,
    omitted: usize,
    ignored: BTreeSet<String>,
    /// How many of these name a node.
    named: usize,
    has_told_of_expressions: bool,
}

impl Faults {
    pub(super) fn report(
        &self,
        place: &Place<'_>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report_at(place.pointer(), message, remedy);
    }

    pub(super) fn report_at(
        &self,
        pointer: String,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let mut found = self.0.borrow_mut();
        if found.reported.len() < FAULTS_MAX {
            found.reported.push(Fault {
                pointer,
                message: message.into(),
                remedy: remedy.into(),
            });
        } else {
            found.omitted += 1;
        }
    }

    /// Whether it is still to be told what an expression may hold: once is enough.
    pub(super) fn tell_of_expressions(&self) -> bool {
        let mut found = self.0.borrow_mut();
        !core::mem::replace(&mut found.has_told_of_expressions, true)
    }

    /// A field that is accepted and changes nothing. The id of a node is left
    /// open in its place, so that a large workflow does not have a long list.
    pub(super) fn ignore(&self, place: &Place<'_>) {
        self.ignore_at(place.pointer());
    }

    /// The same, by the place's pointer.
    pub(super) fn ignore_at(&self, pointer: String) {
        let in_node = pointer
            .strip_prefix("/nodes/")
            .and_then(|rest| rest.split_once('/'));
        let pattern = match in_node {
            Some((_, field)) => format!("/nodes/*/{field}"),
            None => pointer,
        };
        self.0.borrow_mut().ignored.insert(pattern);
    }

    /// A field that has no effect in this node, and has one in others. The node is named,
    /// as long as there are few of them.
    pub(super) fn ignore_in_node(&self, place: &Place<'_>) {
        self.ignore_in_node_at(place.pointer());
    }

    fn ignore_in_node_at(&self, pointer: String) {
        if self.0.borrow().named == IGNORED_NAMED_MAX {
            return self.ignore_at(pointer);
        }
        let mut found = self.0.borrow_mut();
        if found.ignored.insert(pointer) {
            found.named += 1;
        }
    }

    /// What is ignored in a workflow that is written in place, which stands at `pointer`.
    pub(super) fn ignore_below(&self, pointer: &str, ignored: &str) {
        let names_a_node = ignored
            .strip_prefix("/nodes/")
            .is_some_and(|rest| !rest.starts_with("*/"));
        let whole = format!("{pointer}{ignored}");
        match names_a_node {
            true => self.ignore_in_node_at(whole),
            false => self.ignore_at(whole),
        }
    }

    /// The places of fields that change nothing, sorted.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.0.borrow().ignored.iter().cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().reported.is_empty()
    }

    pub(super) fn into_list(self) -> Vec<Fault> {
        let Found {
            mut reported,
            omitted,
            ..
        } = self.0.into_inner();
        if omitted > 0 {
            reported.push(Fault {
                pointer: String::new(),
                message: format!("there are {omitted} more faults"),
                remedy: "correct these first".into(),
            });
        }
        reported
    }
}

/// A name from the workflow, in backquotes and not too long to print.
pub(super) fn quoted(name: &str) -> String {
    const CHARS_MAX: usize = 80;
    match name.char_indices().nth(CHARS_MAX) {
        None => format!("`{name}`"),
        Some((end, _)) => format!("`{}…`", &name[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_pointers_are_escaped() {
        let (nodes, top) = (Place::Key(&Place::Top, "nodes"), Place::Top);
        assert_eq!(
            nodes
                .key("a/b~c")
                .key("kind")
                .key("branches")
                .index(2)
                .pointer(),
            "/nodes/a~1b~0c/kind/branches/2"
        );
        assert_eq!(top.pointer(), "");
    }

    #[test]
    fn r1_long_names_are_cut_in_print() {
        assert_eq!(quoted(&"é".repeat(81)), format!("`{}…`", "é".repeat(80)));
    }

    #[test]
    fn r1_faults_are_limited() {
        let faults = Faults::default();
        for _ in 0..FAULTS_MAX + 7 {
            faults.report(&Place::Top, "m", "r");
        }
        let list = faults.into_list();
        assert_eq!(list.len(), FAULTS_MAX + 1);
        assert_eq!(list[FAULTS_MAX].message, "there are 7 more faults");
    }
}
