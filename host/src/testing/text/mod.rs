//! Texts of people: YAML and JSON with places, and what is wrong with them.

pub(in crate::testing) mod place;
pub(in crate::testing) mod span;
pub(in crate::testing) mod value;
mod scalar;
pub(in crate::testing) mod tree;
pub(in crate::testing) mod source;
