//! The language of conditions and expressions: a total subset of CEL (rule R8).
//!
//! An expression reads `state` and `input`, and where it stands in a node's kind
//! `node_id`. It always ends and never fails: a
//! missing path is null, unlike types are unequal and unordered, and whatever
//! is asked for a truth has one. Wherever CEL itself gives a value, ours is
//! the same; where CEL would fail, we still answer. CEL's arithmetic is no part
//! of it: `+` joins texts, or lists, and is null of anything else.
//!
//! ```text
//! expression = { disjunction "?" disjunction ":" } disjunction
//! disjunction = conjunction { "||" conjunction }
//! conjunction = comparison { "&&" comparison }
//! comparison = sum { ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) sum }
//! sum = unary { "+" unary }
//! unary = { "!" } postfix
//! postfix = primary { "." name | "." digits | "[" expression "]" } [ "." method ]
//! method = "size()" | ( "contains" | "startsWith" | "endsWith" ) "(" expression ")"
//! primary = literal | "[" list "]" | "(" expression ")"
//!         | root | "has(" path ")" | "size(" expression ")"
//! root = "state" | "input" | "node_id" | "error" | "item" | "index"
//!      | "last" | "iteration" | "output" | "errors"
//! ```
//!
//! `error` stands only where an edge is judged on a failure (rule R26), `item` and
//! `index` only in the body of a map (rule R21), `last` and `iteration` only where a child
//! is repeated (rule R23), `output` only in what undoes a node (rule R27), and `errors`
//! (the failures that edges have handled, rule R26) only in what a node's kind holds.
//!
//! What goes beyond CEL, for the sake of JamJet's users: `.0` indexes a list,
//! `has` takes a path that ends in an index, and texts may hold JSON's escapes.
//!
//! What an evaluation makes is counted in bytes, the same in every build: a text or a
//! list larger than a payload is null, and so is what would take an evaluation over
//! [`crate::limits::EVALUATION_BYTES_MAX`].
//!
//! From the bottom up; each may use those above it in this list.

mod number;
mod value;
mod root;
mod expr;
mod reads;
mod scope;
mod input;
mod literal;
mod token;
mod parse;
mod eval;
mod seen;

pub use input::SyntaxError;
pub use reads::Reads;
pub use root::{Root, Roots};
pub use scope::Scope;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use eval::Evaluation;
use expr::Expr;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    root: Expr,
}

impl Expression {
    /// Read a condition: an expression over state and input.
    ///
    /// # Errors
    /// The first place where the text is none, or that it goes over
    /// [`crate::limits::CONDITION_BYTES_MAX`] or
    /// [`crate::limits::CONDITION_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Self::parse_over(text, Roots::OF_CONDITIONS)
    }

    /// Read an expression over these roots.
    ///
    /// # Errors
    /// As [`Self::parse`]; or a path begins with another root.
    pub fn parse_over(text: &str, roots: Roots) -> Result<Self, SyntaxError> {
        Ok(Self {
            text: text.to_owned(),
            root: parse::expression(text, roots)?,
        })
    }

    /// Read the expression that a text begins with, up to a closing brace, and tell
    /// where the text goes on behind the brace.
    ///
    /// # Errors
    /// As [`Self::parse_over`]; or there is no closing brace behind it.
    pub fn parse_braced(text: &str, roots: Roots) -> Result<(Self, usize), SyntaxError> {
        let (root, end) = parse::braced(text, roots)?;
        let expression = Self {
            text: text[..end - 1].to_owned(),
            root,
        };
        Ok((expression, end))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it reads something that begins with this root.
    #[must_use]
    pub fn reads(&self, root: Root) -> bool {
        seen::reads(&self.root, root)
    }

    /// Whether it holds: null, false, 0, "", [] and {} are false, all else is
    /// true. Nothing holds where more would be read than may be
    /// ([`crate::limits::READ_BYTES_MAX`]).
    #[must_use]
    pub fn is_true(&self, scope: &Scope<'_>) -> bool {
        Evaluation::new(scope).holds(&self.root)
    }

    /// Its value as JSON text; what a path leads to is kept verbatim.
    #[must_use]
    pub fn value(&self, scope: &Scope<'_>) -> String {
        Evaluation::new(scope).json(&self.root)
    }

    /// Put its value into a text, by `put`: a text as it is, all else as JSON text.
    /// False, and nothing, if it is null.
    #[must_use]
    pub fn insert(
        &self,
        scope: &Scope<'_>,
        into: &mut String,
        put: impl Fn(&mut String, &str),
    ) -> bool {
        Evaluation::new(scope).insert(&self.root, into, put)
    }

    /// Append its value as JSON text. False if it is null.
    #[must_use]
    pub fn push_json(&self, scope: &Scope<'_>, json: &mut String) -> bool {
        Evaluation::new(scope).push_json(&self.root, json)
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
