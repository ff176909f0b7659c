//! Audit: does it find whatever is wrong with a log, and name the place?
//!
//! `ledger` is an execution on file, to be tampered with; `database`, `chain`
//! and `export` are tables of what is done to it and what the audit says.

mod chain;
mod database;
mod export;
mod ledger;
