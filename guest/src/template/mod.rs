//! Texts that hold expressions (rule R29): `${ expression }` in the fields of a
//! node's kind.
//!
//! A text that is one expression becomes the value of it, of whatever type. In a
//! longer text, values that are texts are inserted as they are and all others as their
//! JSON text; in a URL, in percent. `$${` is a literal `${`. Null anywhere is no value,
//! and the text cannot be resolved.
//!
//! In a payload, `${secret.NAME}` and `${execution_id}` are left to the worker.
//!
//! All is read once, when a workflow is. What is not part of such a text is kept as it
//! is written, to the letter.
//!
//! From the bottom up; each may use those above it in this list.

mod for_worker;
mod text;
mod kind;

pub use kind::{KindTemplate, Unresolved};
pub use text::{Insertion, NoValue, TextTemplate};

#[cfg(test)]
mod tests;
