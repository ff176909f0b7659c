//! What the integration tests share, from the bottom up.

pub mod dice;
pub mod generated;
