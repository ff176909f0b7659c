//! The tree of an expression. Chains are lists, so that only brackets nest it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::root::Root;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    /// A JSON number as it is written.
    Number(String),
    Text(String),
    List(Vec<Expr>),
    Path(Path),
    /// Steps into something that is no path: `[1, 2][0]`.
    Steps(Box<Expr>, Vec<Step>),
    /// Whether the path leads anywhere, if only to null.
    Has(Path),
    Size(Box<Expr>),
    Not(Box<Expr>),
    /// `a < b == c` is `(a < b) == c`.
    Compare(Box<Expr>, Vec<(Relation, Expr)>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    /// `a + b + c`: texts or lists, joined.
    Sum(Vec<Expr>),
    /// `a ? b : c ? d : e`: each condition with what it leads to, and what is
    /// left if none holds.
    Choose(Vec<(Expr, Expr)>, Box<Expr>),
    /// A question about a text and a part of it: `a.contains(b)`.
    Holds(Box<Expr>, Part, Box<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

/// Where a text is looked for in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Anywhere,
    Start,
    End,
}

impl Part {
    /// The method of this name, if it is one.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "contains" => Some(Self::Anywhere),
            "startsWith" => Some(Self::Start),
            "endsWith" => Some(Self::End),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// `.name`; where the name is a number and the value a list, its element.
    Field(String),
    /// `[…]`.
    At(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
}
