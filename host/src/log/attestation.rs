//! What is left of an erased log's audit: an attestation.
//!
//! An erasure begins with an audit of the log, because afterwards no guest can be asked
//! about it any more. The attestation says what came of that. It is not signed: it
//! says who erased the log and what they claim, and proves nothing by itself.

use crate::log::field::{Sink, Source};
use crate::log::json::{JsonError, Reader, Writer};
use crate::log::{Head, Timestamp};
use crate::model::Digest;

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
}

/// The verdict about a log that may be erased: its chain must be whole, because an
/// erased log has nothing else left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The JSON form, as it stands in an export's header:
    /// `{"at":"2026-01-01T00:00:00.000Z","verdict":"clean","guest_digest":…,"events":7,"head":…,"by":"ada"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self {
            at,
            verdict,
            guest_digest,
            head,
            by,
        } = self;
        let mut writer = Writer::new();
        writer.time("at", *at);
        writer.text("verdict", verdict.word());
        writer.digest("guest_digest", &guest_digest.0);
        writer.number("events", head.sequence);
        writer.digest("head", &head.hash);
        writer.text("by", by);
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_anything_else_is_named() {
        for (verdict, word) in VERDICTS.into_iter().zip(WORDS) {
            let attestation = Attestation {
                at: 1_767_225_600_000,
                verdict,
                guest_digest: Digest([1; 32]),
                head: Head {
                    sequence: 7,
                    hash: [2; 32],
                },
                by: "ada \"the\" countess".to_owned(),
            };
            let text = attestation.to_json();
            assert!(text.contains(&format!(r#""verdict":"{word}","#)), "{text}");
            assert_eq!(Attestation::from_json(&text), Ok(attestation));
            for (from, to, named) in [
                (
                    *word,
                    "splendid",
                    "field `verdict`: splendid should be one of clean",
                ),
                (r#""by""#, r#""from""#, "field `by`: it is missing"),
                (
                    r#""by""#,
                    r#""note":1,"by""#,
                    "field `note`: there is no such field",
                ),
            ] {
                let error = Attestation::from_json(&text.replacen(from, to, 1)).unwrap_err();
                assert!(error.to_string().starts_with(named), "{error}");
            }
        }
    }
}
