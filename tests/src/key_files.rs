//! Key files as openssl writes them, each with a key that was made just now: a private
//! key that stood in the sources would be one that somebody uses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use refrain::ExecutionId;
use refrain::signing::{Signer as _, SigningKey};

/// What openssl writes before the 32 bytes of a private and of a public key of Ed25519.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The two files of a key.
pub struct KeyFiles {
    /// As `openssl genpkey -algorithm ed25519` writes it.
    pub private: String,
    /// As `openssl pkey -pubout` writes it.
    pub public: String,
    /// What names the key in messages.
    pub fingerprint: String,
}

impl KeyFiles {
    /// Those of a new key.
    #[must_use]
    pub fn generate() -> Self {
        // Ids are chance, but for their version; that does for a test.
        let halves = [ExecutionId::random(), ExecutionId::random()];
        let mut seed = [0; 32];
        let bytes = halves.iter().flat_map(|half| *half.as_bytes());
        seed.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        Self::of(seed)
    }

    /// Those of the key of these bytes: the same each time.
    ///
    /// # Panics
    /// Never: any bytes are a key.
    #[must_use]
    pub fn of(seed: [u8; 32]) -> Self {
        let private = pem("PRIVATE KEY", &[&PKCS8[..], &seed].concat());
        let key = SigningKey::from_pem(&private).expect("openssl writes it like this");
        let key = key.public_key();
        Self {
            private,
            public: pem("PUBLIC KEY", &[&SPKI[..], &key.0].concat()),
            fingerprint: key.fingerprint(),
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}
