//! The tree of an expression. Chains are lists, so that only brackets nest it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

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
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    State,
    Input,
    /// The element of a map's instance.
    Item,
    /// Its index.
    Index,
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
