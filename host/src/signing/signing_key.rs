//! A private key out of a file.

use std::error::Error;
use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::error::{KeyError, PRIVATE};
use super::pem;
use super::public_key::PublicKey;
use super::signer::Signer;

/// A private key of Ed25519, in this program's memory.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a PEM file: PKCS#8, not encrypted, as
    /// `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    ///
    /// The text is anything else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem::block(text, PRIVATE)?;
        let refused = || pem::refused(&der, PRIVATE, "PKCS#8");
        // The public key is not in there where openssl writes it, so it is computed.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| refused())?;
        let public = pair.public_key().as_ref().try_into();
        let public = PublicKey(public.map_err(|_| refused())?);
        Ok(Self { pair, public })
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Box<dyn Error + Send + Sync>> {
        Ok(self.pair.sign(message).as_ref().try_into()?)
    }
}

impl fmt::Debug for SigningKey {
    /// The private part is shown to nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}
