//! What holds a private key, and signs with it.

use super::error::SignerError;
use super::public_key::{PublicKey, Signature};

/// Holds a private key of Ed25519 and signs with it.
///
/// ```
/// use refrain::signing::{PublicKey, Signer};
///
/// /// A key that another device holds.
/// struct Device;
///
/// impl Signer for Device {
///     fn public_key(&self) -> PublicKey {
///         PublicKey([7; 32]) // The device says which.
///     }
///     fn sign(&self, message: &[u8]) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>> {
///         Err(format!("no device is there to sign {} bytes", message.len()).into())
///     }
/// }
/// assert!(refrain::signing::sign(&Device, b"a message").is_err());
/// ```
pub trait Signer {
    /// The public key that belongs to the private one.
    fn public_key(&self) -> PublicKey;

    /// The signature of these bytes, as RFC 8032 defines it for Ed25519 (neither
    /// Ed25519ctx nor Ed25519ph).
    ///
    /// # Errors
    ///
    /// The reason why it cannot sign.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>>;
}

/// Has these bytes signed, and verifies the signature: one that does not hold must
/// never be written down.
///
/// # Errors
///
/// The signer fails, or its signature does not belong to its own public key.
pub fn sign(signer: &dyn Signer, message: &[u8]) -> Result<Signature, SignerError> {
    let signature = Signature {
        key: signer.public_key(),
        bytes: signer.sign(message).map_err(SignerError::Failed)?,
    };
    match signature.holds(message) {
        true => Ok(signature),
        false => Err(SignerError::Wrong {
            key: signature.key.fingerprint(),
        }),
    }
}
