//! The condition language: a total subset of CEL (rule R8).
//!
//! An expression reads `state` and `input`, always ends and never fails: a
//! missing path is null, unlike types are unequal and unordered, and whatever
//! is asked for a truth has one. Wherever CEL itself gives a value, ours is
//! the same; where CEL would fail, we still answer.
//!
//! ```text
//! expression = conjunction { "||" conjunction }
//! conjunction = comparison { "&&" comparison }
//! comparison = unary { ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) unary }
//! unary = { "!" } postfix
//! postfix = primary { "." name | "." digits | "[" expression "]" | ".size()" }
//! primary = literal | "[" list "]" | "(" expression ")"
//!         | "state" | "input" | "has(" path ")" | "size(" expression ")"
//! ```
//!
//! What goes beyond CEL, for the sake of JamJet's users: `.0` indexes a list,
//! `has` takes a path that ends in an index, and texts may hold JSON's escapes.

mod eval;
mod expr;
mod literal;
mod number;
mod parse;
mod value;

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use crate::json::Object;
use expr::Expr;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    root: Expr,
}

/// Why a text is no expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The byte at which the text stops being one.
    pub offset: usize,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.offset)
    }
}

impl core::error::Error for SyntaxError {}

/// What an expression can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    input: &'a str,
    state: &'a Object,
}

impl<'a> Scope<'a> {
    /// The execution's input, which must be JSON that [`crate::json::check`]
    /// accepts, and its state.
    #[must_use]
    pub fn new(input: &'a str, state: &'a Object) -> Self {
        Self { input, state }
    }
}

impl Expression {
    /// Read an expression.
    ///
    /// # Errors
    /// The first place where the text is none, or that it goes over
    /// [`crate::limits::CONDITION_BYTES_MAX`] or
    /// [`crate::limits::CONDITION_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self {
            text: text.to_owned(),
            root: parse::expression(text)?,
        })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds: null, false, 0, "", [] and {} are false, all else is
    /// true.
    #[must_use]
    pub fn is_true(&self, scope: &Scope<'_>) -> bool {
        eval::value(&self.root, scope).is_true()
    }

    /// Its value as JSON text; what a path leads to is kept verbatim.
    #[must_use]
    pub fn value(&self, scope: &Scope<'_>) -> String {
        eval::json(&self.root, scope)
    }
}

#[cfg(test)]
mod tests;
