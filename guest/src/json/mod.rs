//! JSON text kept verbatim.
//!
//! Payloads belong to the user: whatever comes in goes out as it came, number
//! spellings included. [`check`] stands at the door; everything else here reads
//! text that passed it, and treats a surprise as a fault of our own.
//!
//! Nothing here may recurse over text that was not checked, or reorder, round
//! or drop what it was given.
//!
//! From the bottom up; each may use those above it in this list.

mod lexer;
mod keys;
mod check;
mod walk;
mod quote;
mod object;
pub(crate) mod verbatim;

pub use check::{Malformed, check};
pub use object::Object;

pub(crate) use check::push_pointer;
pub(crate) use lexer::{Lexer, Token, decode_text};
pub(crate) use quote::{push_escaped, push_quoted};
pub(crate) use walk::{depth, element, elements, length, member, members};
