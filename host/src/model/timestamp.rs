//! Instants.

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;
