//! Signatures with Ed25519 (RFC 8032), and the files that their keys come in.
//!
//! This module signs bytes; which bytes, other modules say. A [`Signer`] holds a
//! private key: a [`SigningKey`] out of a file, or an embedder's own,
//! such as a security module that never hands its key out.

mod error;
mod pem;
mod public_key;
mod signer;
mod signing_key;

pub use error::{KeyError, SignerError};
pub use public_key::{PublicKey, Signature};
pub use signer::{Signer, sign};
pub use signing_key::SigningKey;

#[cfg(test)]
mod tests;
