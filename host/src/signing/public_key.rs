//! Public keys, and the signatures that are held against them.

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};

use super::error::{KeyError, PUBLIC};
use super::pem;
use crate::model::{Digest, hex};

/// A public key of Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(
    /// Its 32 bytes, as RFC 8032 writes them.
    pub [u8; 32],
);

/// What stands before the key's 32 bytes in DER: a `SubjectPublicKeyInfo` of RFC 8410,
/// which has no other spelling.
const BEFORE: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

impl PublicKey {
    /// The key of a PEM file, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    ///
    /// The text is anything else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem::block(text, PUBLIC)?;
        let key = der.strip_prefix(&BEFORE).map(<[u8; 32]>::try_from);
        match key {
            Some(Ok(key)) => Ok(Self(key)),
            _ => Err(pem::refused(&der, PUBLIC, "SubjectPublicKeyInfo")),
        }
    }

    /// The PEM file of the key, as `openssl pkey -pubout` writes it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write(&[&BEFORE[..], &self.0].concat(), PUBLIC)
    }

    /// `sha256:` and the SHA-256 of the key in DER, in hexadecimal digits. This is what
    /// `openssl pkey -pubin -in PUBLICKEY.pem -outform DER | sha256sum` prints.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let der = [&BEFORE[..], &self.0].concat();
        format!("sha256:{}", Digest::of(&der))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// A signature, with the key that is said to have made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The public key.
    pub key: PublicKey,
    /// The signature, as RFC 8032 writes it.
    pub bytes: [u8; 64],
}

impl Signature {
    /// Whether the key has signed these bytes. That says nothing about who holds it.
    #[must_use]
    pub fn holds(&self, message: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.key.0);
        key.verify(message, &self.bytes).is_ok()
    }
}
