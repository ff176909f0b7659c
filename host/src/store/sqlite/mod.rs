//! The store in an SQLite file, for real work.
//!
//! A turn is one transaction of SQLite, which begins by taking the write lock, and
//! one sync. Several processes may work on one file. `schema.rs` says what the tables
//! are for. The modules, from the bottom up; each may use those above
//! it in this list.

mod row;
mod failure;
mod file;
mod schema;
mod value;
mod durability;
mod stale_log;
mod lock;
mod open;
mod backup;
mod database;
mod many;
mod execution;
mod record_cache;
mod children;
mod labels;
mod output;
mod listing;
mod log;
mod queue;
mod clocks;
mod keep;
mod news;
mod reader;
mod changes;
mod grow;
mod erase;
mod turn;
mod commit;
mod store;
#[cfg(test)]
mod tests;

pub use durability::Durability;
pub use store::{SqliteOptions, SqliteStore};
