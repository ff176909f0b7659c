//! Limits of secrets.

/// A secret's name: more than any variable of an environment needs.
pub const SECRET_NAME_BYTES_MAX: usize = 128;

/// A secret's value, at least: a shorter one stands in too many texts by chance to be
/// taken out of them.
pub const SECRET_BYTES_MIN: usize = 4;

/// A secret's value: a key with all of its certificates.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// A file of secrets.
pub const SECRETS_FILE_BYTES_MAX: usize = 1024 * 1024;
