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
//!         | "item" | "index"
//! ```
//!
//! `item` and `index` are there for the instances of a map alone (rule R21).
//!
//! What goes beyond CEL, for the sake of JamJet's users: `.0` indexes a list,
//! `has` takes a path that ends in an index, and texts may hold JSON's escapes.
//!
//! From the bottom up; each may use those above it in this list.

mod number;
mod value;
mod expr;
mod scope;
mod input;
mod literal;
mod parse;
mod eval;
mod seen;

pub use input::SyntaxError;
pub use scope::Scope;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use expr::Expr;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    root: Expr,
}

impl Expression {
    /// Read an expression.
    ///
    /// # Errors
    /// The first place where the text is none, or that it goes over
    /// [`crate::limits::CONDITION_BYTES_MAX`] or
    /// [`crate::limits::CONDITION_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Self::read(text, false)
    }

    /// Read an expression that may read `item` and `index` besides (rule R21).
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn parse_of_instance(text: &str) -> Result<Self, SyntaxError> {
        Self::read(text, true)
    }

    fn read(text: &str, of_instance: bool) -> Result<Self, SyntaxError> {
        Ok(Self {
            text: text.to_owned(),
            root: parse::expression(text, of_instance)?,
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

    /// What it sees: the paths in it, in their order, each once, and the JSON text
    /// of the value there. `None` if there is none.
    #[must_use]
    pub fn seen(&self, scope: &Scope<'_>) -> Vec<(String, Option<String>)> {
        seen::seen(&self.root, scope)
    }
}

#[cfg(test)]
mod tests;
