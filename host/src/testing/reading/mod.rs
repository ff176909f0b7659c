//! Test files: from a tree of values to cases.

mod fields;
mod values;
mod answers;
mod acts;
mod expectations;
pub(super) mod cases;
pub(super) mod top;
