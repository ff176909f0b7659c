//! The reference of the format and its JSON Schema, made from the tables that the
//! parser reads. Built natively only: nothing of it is in the component.
//!
//! From the bottom up; each may use those above it in this list.

mod texts;
mod tables;
mod schema_rules;
mod schema;
mod page;

pub use page::page;
pub use schema::schema;

#[cfg(test)]
mod tests;
