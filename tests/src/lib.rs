//! What the integration tests share, from the bottom up.

pub mod binary;
mod cases;
pub mod few;
pub mod chained;
pub mod checkers;
pub mod component;
pub mod cost;
pub mod counting_store;
pub mod dice;
pub mod engines;
pub mod faulty_store;
pub mod fuzzing;
pub mod golden;
pub mod http_server;
pub mod key_files;
pub mod layers;
pub mod model;
pub mod odd_clock;
pub mod saboteur;
pub mod sections;
pub mod twin;
pub mod coverage;
pub mod simulator;
pub mod memory_ports;
pub mod meddled_store;
pub mod wat_guest;
pub mod ordering_guest;
pub mod conformance;
pub mod workflows;

pub use cases::{cases, rounds, runner};

pub use refrain_guest::notation;
