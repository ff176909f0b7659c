//! The members of a mapping, each known by its key.

use std::cell::RefCell;

use crate::resembling::meant;
use crate::testing::graph::{Workflows, WrongName};
use crate::testing::text::place::{Faults, Place};
use crate::testing::text::value::{Member, Node, Value};

/// What a test file is read by: its workflows, and the faults that are found.
pub(super) struct Reading<'a, 't> {
    pub(super) workflows: &'a Workflows,
    /// What stands before the names of nodes: nothing, or the node of whose child they are
    /// and a slash.
    way: String,
    faults: &'a RefCell<Faults<'t>>,
}

/// What a name has to be the name of.
type Check = fn(&Workflows, &str) -> Result<(), WrongName>;

impl<'a, 't> Reading<'a, 't> {
    pub(super) fn new(workflows: &'a Workflows, faults: &'a RefCell<Faults<'t>>) -> Self {
        let way = String::new();
        Self {
            workflows,
            way,
            faults,
        }
    }

    /// The same for names of nodes of the child that this node starts.
    pub(super) fn of_child(&self, node: &str) -> Self {
        Self {
            workflows: self.workflows,
            way: format!("{}{node}/", self.way),
            faults: self.faults,
        }
    }

    /// This is wrong there.
    pub(super) fn report(&self, at: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.faults.borrow_mut().report(at, message, remedy);
    }

    /// The members of a mapping. Reports those whose keys are not known, each with what
    /// was perhaps meant, and says `None` if this is no mapping.
    pub(super) fn members<'n>(
        &self,
        node: &'n Node,
        what: &str,
        known: &[&'static str],
    ) -> Option<Fields<'n>> {
        let members = self.mapping(node, what)?;
        let mut has_unknown = false;
        for Member { at, key, .. } in members {
            if !known.contains(&key.as_str()) {
                has_unknown = true;
                if self.faults.borrow().are_full() {
                    break;
                }
                let message = format!("{what} has no key `{key}`");
                self.report(*at, message, meant(key, "keys", known.iter().copied()));
            }
        }
        Some(Fields {
            at: node.at,
            has_unknown,
            members,
        })
    }

    /// The members of a mapping whose keys are names. `None`, and a fault, if it is none.
    pub(super) fn mapping<'n>(&self, node: &'n Node, what: &str) -> Option<&'n [Member]> {
        match &node.value {
            Value::Map(members) => Some(members),
            _ => {
                self.is_not(node, what, "a mapping");
                None
            }
        }
    }

    /// A value is not what is wanted there.
    pub(super) fn is_not(&self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} is {wanted}, and this is {}", node.kind());
        self.report(node.at, message, format!("write {wanted} there"));
    }

    /// Reports a name that the workflows do not bear out. Says whether they do. Where no
    /// more faults are named, none is looked for: that takes a look at all nodes.
    pub(super) fn name(&self, at: Place, name: &str, check: Check) -> bool {
        if self.faults.borrow().are_full() {
            return false;
        }
        match check(self.workflows, &format!("{}{name}", self.way)) {
            Ok(()) => true,
            Err(WrongName { message, remedy }) => {
                self.report(at, message, remedy);
                false
            }
        }
    }
}

/// The members of a mapping whose keys are fixed.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    /// Where the mapping begins.
    pub(super) at: Place,
    /// Whether there are keys that are not known.
    pub(super) has_unknown: bool,
    members: &'n [Member],
}

impl<'n> Fields<'n> {
    /// The member of this key.
    pub(super) fn member(&self, key: &str) -> Option<&'n Member> {
        self.members.iter().find(|member| member.key == key)
    }

    /// Its value.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.member(key).map(|member| &member.node)
    }

    /// Those of these keys that are there, in the order of the text.
    pub(super) fn of(&self, keys: &[&str]) -> Vec<&'n Member> {
        let all = self.members.iter();
        all.filter(|member| keys.contains(&member.key.as_str()))
            .collect()
    }
}
