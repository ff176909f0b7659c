//! A private key out of a file.

use std::error::Error;
use std::fmt;

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::error::{KeyError, PRIVATE, SignerError};
use super::pem;
use super::public_key::PublicKey;
use super::signer::Signer;

/// A private key of Ed25519, in this program's memory.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// What stands before the 32 bytes of a private key in DER: PKCS#8 as RFC 8410 has it,
/// without the public key, which not every program reads there.
const BEFORE: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

impl SigningKey {
    /// A new key, from the system's random bytes, as the text of a PEM file that
    /// [`SigningKey::from_pem`] and openssl read. Keep it where only you can read it.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn generate_pem() -> Result<String, SignerError> {
        let mut der = BEFORE.to_vec();
        der.resize(BEFORE.len() + 32, 0);
        let random = SystemRandom::new().fill(&mut der[BEFORE.len()..]);
        random.map_err(|_| SignerError::Failed("the system gives no random bytes".into()))?;
        Ok(pem::write(&der, PRIVATE))
    }

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
