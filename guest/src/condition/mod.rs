//! The condition language: a total subset of CEL (rule R8).
//!
//! It always ends and never fails: a missing path is null, unlike types are
//! unequal and unordered.

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression;
