//! Audit: does it find whatever is wrong with a log, and name the place?
//!
//! `forked` is what is done to a fork whose origin is at hand, `children` what is done to a child whose parent is, both by `linked`; `together` is about logs that are not of one moment; `rows` what is done to what a store keeps of children; `ledger` is an execution on file, to be tampered with; `database`, `chain`
//! and `export` are tables of what is done to it and what the audit says.

mod chain;
mod database;
mod export;
mod children;
mod forked;
mod ledger;
mod linked;
mod rows;
mod together;
