//! Why a file's key cannot be used, and why nothing was signed.

/// This text holds no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is no PEM.
    #[error("it holds no key in PEM form: no line says `-----BEGIN {expected}-----`")]
    NoPem {
        /// The label that is looked for.
        expected: &'static str,
    },
    /// Which of its keys should be used?
    #[error("it holds {blocks} PEM blocks, and a key file holds one key")]
    Several {
        /// How many it holds.
        blocks: usize,
    },
    /// The block is of another kind.
    #[error("it holds a PEM block labelled `{found}`, where `{expected}` is needed")]
    Label {
        /// The label that it has.
        found: String,
        /// The label that is looked for.
        expected: &'static str,
    },
    /// The block is cut, or is no base64.
    #[error("its PEM block is damaged: {problem}")]
    Block {
        /// What is wrong with it.
        problem: String,
    },
    /// The key is of another algorithm.
    #[error("its key is not one of Ed25519, which is the only algorithm here")]
    Algorithm {
        /// The label of its block.
        expected: &'static str,
    },
    /// The block does not hold what its label says.
    #[error("its block is no {format} of an Ed25519 key; the file may be damaged")]
    Encoding {
        /// The encoding that was expected.
        format: &'static str,
    },
}

/// The label of a private key in PKCS#8.
pub(super) const PRIVATE: &str = "PRIVATE KEY";

/// The label of a public key (a `SubjectPublicKeyInfo`).
pub(super) const PUBLIC: &str = "PUBLIC KEY";

impl KeyError {
    /// What helps, in a sentence, if something is known to.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        const GENERATE: &str = "`openssl genpkey -algorithm ed25519 -out KEYFILE` writes a key";
        const PUBLISH: &str = "`openssl pkey -in KEYFILE -pubout -out PUBLICKEY.pem` writes the public key of a private one";
        match self {
            Self::NoPem { expected } | Self::Algorithm { expected } => match *expected {
                PRIVATE => Some(GENERATE),
                _ => Some(PUBLISH),
            },
            Self::Label { found, expected } => match (found.as_str(), *expected) {
                (PUBLIC, _) => Some("sign with the private key that belongs to it"),
                ("ENCRYPTED PRIVATE KEY", PRIVATE) => Some(
                    "`openssl pkey -in KEYFILE -out PLAIN.pem` decrypts it; keep the result where only you can read it",
                ),
                ("CERTIFICATE", _) => Some(
                    "`openssl x509 -in CERTIFICATE.pem -noout -pubkey` prints the public key of a certificate",
                ),
                (_, PRIVATE) => Some(GENERATE),
                _ => Some(PUBLISH),
            },
            Self::Several { .. } => Some("put each key into a file of its own"),
            Self::Block { .. } | Self::Encoding { .. } => None,
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signer says so.
    #[error("the signer failed: {0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
    /// Its signature belongs to another key, or to other bytes.
    #[error("the signer's signature does not belong to its own public key, {key}")]
    Wrong {
        /// The key's fingerprint.
        key: String,
    },
}
