//! What is left of an erased log's audit: an attestation.
//!
//! An erasure begins with an audit of the log, because afterwards no guest can be asked
//! about it any more. The attestation says what came of that. Without a signature it
//! says who claims to have erased the log, and proves nothing by itself.
//!
//! # What is signed
//!
//! The signature is of Ed25519, over the *signed bytes*, one after another: the text
//! `refrain-attestation/1`, so that no signature of anything else can stand here; the
//! name of the log's format; the execution's id; the time in milliseconds; the verdict;
//! the guest's digest; the number of events; the head's hash; and who erased the log. A
//! text is its length in bytes and its UTF-8 bytes; numbers and lengths are 64 bits,
//! little-endian; digests and hashes are their 32 bytes.

use crate::id::ExecutionId;
use crate::log::field::{Sink, Source};
use crate::log::head::FORMAT;
use crate::log::json::{JsonError, Reader, Writer};
use crate::log::signed::{put_text, read_signature, write_signature};
use crate::log::{Head, Timestamp};
use crate::model::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::signing::{self, Signature, Signer, SignerError};

/// That an execution's log was erased, and what its audit said before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attestation {
    /// When it was erased.
    pub at: Timestamp,
    /// What the audit said just before.
    pub verdict: AttestedVerdict,
    /// The guest that the execution ended with.
    pub guest_digest: Digest,
    /// The head of the log, which is the same before and after.
    pub head: Head,
    /// Who erased it.
    pub by: String,
    /// The signature of all this, which also binds the execution. `None` if nobody has
    /// signed it. Whether it holds, [`Attestation::is_signed_for`] says.
    pub signature: Option<Signature>,
}

/// What the signed bytes begin with.
const SIGNED: &str = "refrain-attestation/1";

/// The verdict about a log that may be erased: its chain must be whole, because an
/// erased log has nothing else left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttestedVerdict {
    /// Its guest decided the same again.
    Clean,
    /// Its guest decided something else, or the store said something else.
    Divergent,
    /// An event stood where it may not stand.
    Illegal,
}

const WORDS: &[&str] = &["clean", "divergent", "illegal"];
const VERDICTS: [AttestedVerdict; WORDS.len()] = [
    AttestedVerdict::Clean,
    AttestedVerdict::Divergent,
    AttestedVerdict::Illegal,
];

impl AttestedVerdict {
    /// The verdict in a word, as it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Divergent => "divergent",
            Self::Illegal => "illegal",
        }
    }
}

impl Attestation {
    /// What is signed of the attestation of this execution. The signature itself is no
    /// part of it.
    #[must_use]
    pub fn signed_bytes(&self, execution: ExecutionId) -> Vec<u8> {
        let Self {
            at,
            verdict,
            guest_digest,
            head,
            by,
            signature: _,
        } = self;
        let mut bytes = Vec::with_capacity(256);
        put_text(&mut bytes, SIGNED);
        put_text(&mut bytes, FORMAT);
        put_text(&mut bytes, &execution.to_string());
        bytes.extend(at.to_le_bytes());
        put_text(&mut bytes, verdict.word());
        bytes.extend(guest_digest.0);
        bytes.extend(head.sequence.to_le_bytes());
        bytes.extend(head.hash);
        put_text(&mut bytes, by);
        bytes
    }

    /// The same attestation, signed for this execution.
    ///
    /// # Errors
    ///
    /// The signer fails, or signs with another key than it says.
    pub fn sign(mut self, execution: ExecutionId, by: &dyn Signer) -> Result<Self, SignerError> {
        self.signature = Some(signing::sign(by, &self.signed_bytes(execution))?);
        Ok(self)
    }

    /// Whether it is signed, and the signature is that of its key over this attestation
    /// of this execution. Who holds that key is another question.
    #[must_use]
    pub fn is_signed_for(&self, execution: ExecutionId) -> bool {
        let holds = |it: Signature| it.holds(&self.signed_bytes(execution));
        self.signature.is_some_and(holds)
    }

    /// The JSON form, as it stands in an export's header:
    /// `{"at":"2026-01-01T00:00:00.000Z","verdict":"clean","guest_digest":…,"events":7,"head":…,"by":"ada"}`,
    /// and where it is signed
    /// `"signature":{"algorithm":"ed25519","key":…,"bytes":…}` behind that, the public key
    /// and the signature in hexadecimal digits.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self {
            at,
            verdict,
            guest_digest,
            head,
            by,
            signature,
        } = self;
        let mut writer = Writer::new();
        writer.time("at", *at);
        writer.text("verdict", verdict.word());
        writer.digest("guest_digest", &guest_digest.0);
        writer.number("events", head.sequence);
        writer.digest("head", &head.hash);
        writer.text("by", by);
        if let Some(signature) = signature {
            write_signature(&mut writer, signature);
        }
        writer.finish()
    }

    /// The attestation that [`Attestation::to_json`] writes like this.
    ///
    /// # Errors
    ///
    /// Anything else, with the name of the field.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        let mut reader = Reader::new(text, Vec::new())?;
        let attestation = Self::read(&mut reader)?;
        reader.end()?;
        Ok(attestation)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, JsonError> {
        Ok(Self {
            at: reader.time("at")?,
            verdict: VERDICTS[reader.choice("verdict", WORDS)?],
            guest_digest: Digest(reader.hash("guest_digest")?),
            head: Head {
                sequence: reader.number("events", u64::MAX)?,
                hash: reader.hash("head")?,
            },
            by: reader.text("by")?,
            signature: match reader.present("signature")? {
                true => Some(reader.record("signature", read_signature)?),
                false => None,
            },
        })
    }
}

/// As [`Attestation::to_json`] writes it.
impl Serialize for Attestation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = RawValue::from_string(self.to_json());
        json.map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attestation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(json.get()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
