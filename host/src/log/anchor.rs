//! An anchor: the head that an execution's log had at a time, to be kept elsewhere (law 4).
//!
//! A log that lost its end is whole in itself. Only a head that was noted somewhere else
//! shows what is missing, and only a signed one shows who has noted it.
//!
//! # What is signed
//!
//! The signature is of Ed25519, over the *signed bytes*, one after another: the text
//! `refrain-anchor/1`, so that no signature of anything else can stand here; the
//! execution's id; the sequence of the head; its hash; the time in milliseconds; and the
//! key's id. A text is its length in bytes and its UTF-8 bytes; numbers and lengths are
//! 64 bits, little-endian; the hash is its 32 bytes. The hash binds the log's format,
//! because each chain begins with that.

use super::field::{Sink, Source};
use super::json::{JsonError, Reader, Writer};
use super::signed::{ALGORITHM, put_text, read_ed25519, write_signature};
use super::{Head, Timestamp};
use crate::id::ExecutionId;
use crate::signing::{self, PublicKey, Signature, Signer, SignerError};

/// The head of a log at a time, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Anchor {
    /// The execution whose log it is.
    pub execution_id: ExecutionId,
    /// The head.
    pub head: Head,
    /// When it was noted.
    pub at: Timestamp,
    /// The signature of all this. `None` if nobody has signed it. Whether it holds,
    /// [`Anchor::is_signed_by`] says.
    pub signature: Option<AnchorSignature>,
}

/// The signature of an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnchorSignature {
    /// One of Ed25519.
    Ed25519(Signature),
    /// One of an algorithm that this program does not know: it cannot be checked.
    Other {
        /// The name of the algorithm.
        algorithm: String,
        /// The id of the key.
        key_id: String,
    },
}

impl AnchorSignature {
    /// The id of the key that is said to have made it.
    #[must_use]
    pub fn key_id(&self) -> String {
        match self {
            Self::Ed25519(signature) => signature.key.fingerprint(),
            Self::Other { key_id, .. } => key_id.clone(),
        }
    }
}

/// The form of an anchor, and what its signed bytes begin with.
pub const ANCHOR_FORMAT: &str = "refrain-anchor/1";

impl Anchor {
    /// What is signed of the anchor, with this key. The signature itself is no part of it.
    #[must_use]
    pub fn signed_bytes(&self, key: &PublicKey) -> Vec<u8> {
        let Self {
            execution_id,
            head,
            at,
            signature: _,
        } = self;
        let mut bytes = Vec::with_capacity(256);
        put_text(&mut bytes, ANCHOR_FORMAT);
        put_text(&mut bytes, &execution_id.to_string());
        bytes.extend(head.sequence.to_le_bytes());
        bytes.extend(head.hash);
        bytes.extend(at.to_le_bytes());
        put_text(&mut bytes, &key.fingerprint());
        bytes
    }

    /// The same anchor, signed.
    ///
    /// # Errors
    ///
    /// The signer fails, or signs with another key than it says.
    pub fn sign(mut self, by: &dyn Signer) -> Result<Self, SignerError> {
        let signature = signing::sign(by, &self.signed_bytes(&by.public_key()))?;
        self.signature = Some(AnchorSignature::Ed25519(signature));
        Ok(self)
    }

    /// Whether this is the signature of its key over this anchor. Who holds that key is
    /// another question.
    #[must_use]
    pub fn is_signed_by(&self, signature: &Signature) -> bool {
        signature.holds(&self.signed_bytes(&signature.key))
    }

    /// The JSON form, one line:
    /// `{"format":"refrain-anchor/1","execution_id":…,"sequence":7,"head":…,"at":"2026-01-01T00:00:00.000Z"}`,
    /// and where it is signed
    /// `"key_id":"sha256:…","signature":{"algorithm":"ed25519","key":…,"bytes":…}` behind that, the public
    /// key and the signature in hexadecimal digits. A signature of another algorithm is
    /// not written.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut writer = Writer::new();
        writer.text("format", ANCHOR_FORMAT);
        writer.text("execution_id", &self.execution_id.to_string());
        writer.number("sequence", self.head.sequence);
        writer.digest("head", &self.head.hash);
        writer.time("at", self.at);
        if let Some(AnchorSignature::Ed25519(signature)) = &self.signature {
            writer.text("key_id", &signature.key.fingerprint());
            write_signature(&mut writer, signature);
        }
        writer.finish()
    }

    /// The anchor that [`Anchor::to_json`] writes like this. Whether its signature holds is
    /// not looked at.
    ///
    /// # Errors
    ///
    /// Anything else, with the name of the field.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        let mut reader = Reader::new(text, Vec::new())?;
        reader.choice("format", &[ANCHOR_FORMAT])?;
        let id = reader.text("execution_id")?;
        let id = id
            .parse()
            .map_err(|error| reader.error("execution_id", format!("{error}")))?;
        let anchor = Self {
            execution_id: id,
            head: Head {
                sequence: reader.number("sequence", u64::MAX)?,
                hash: reader.hash("head")?,
            },
            at: reader.time("at")?,
            signature: read_signature(&mut reader)?,
        };
        if anchor.head.sequence == 0 {
            return Err(reader.error("sequence", "it should be 1 or more: no log is empty"));
        }
        reader.end()?;
        Ok(anchor)
    }
}

fn read_signature(reader: &mut Reader<'_>) -> Result<Option<AnchorSignature>, JsonError> {
    if !reader.present("key_id")? && !reader.present("signature")? {
        return Ok(None);
    }
    let key_id = reader.text("key_id")?;
    let signature = reader.record("signature", |reader| {
        let algorithm = reader.text("algorithm")?;
        if algorithm == ALGORITHM {
            return read_ed25519(reader).map(AnchorSignature::Ed25519);
        }
        reader.leave_rest();
        let key_id = key_id.clone();
        Ok(AnchorSignature::Other { algorithm, key_id })
    })?;
    if signature.key_id() != key_id {
        let problem = format!(
            "it should be {}, the id of the key in `signature`",
            signature.key_id()
        );
        return Err(reader.error("key_id", problem));
    }
    Ok(Some(signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SigningKey;

    fn anchor() -> Anchor {
        Anchor {
            execution_id: "exec_01010101010101010101010101010101".parse().unwrap(),
            head: Head {
                sequence: 7,
                hash: [2; 32],
            },
            at: 1_767_225_600_000,
            signature: None,
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_pem(&SigningKey::generate_pem().unwrap()).unwrap()
    }

    fn signed() -> Anchor {
        anchor().sign(&key()).unwrap()
    }

    fn holds(anchor: &Anchor) -> bool {
        match &anchor.signature {
            Some(AnchorSignature::Ed25519(signature)) => anchor.is_signed_by(signature),
            _ => false,
        }
    }

    #[test]
    fn it_comes_back_from_its_line() {
        for anchor in [anchor(), signed()] {
            let line = anchor.to_json();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(Anchor::from_json(&line), Ok(anchor));
        }
    }

    #[test]
    fn a_line_that_is_no_anchor_is_named_by_its_field() {
        let line = signed().to_json();
        for (from, to, named) in [
            ("refrain-anchor/1", "refrain-anchor/2", "field `format`: "),
            ("exec_01", "exec_1", "field `execution_id`: "),
            (
                "\"sequence\":7",
                "\"sequence\":0",
                "field `sequence`: it should be 1",
            ),
            ("\"head\":\"02", "\"head\":\"2", "field `head`: "),
            ("\"at\"", "\"when\"", "field `at`: it is missing"),
            (
                "\"key_id\":\"sha256:",
                "\"key_id\":\"sha256:0",
                "field `key_id`: it should be sha256:",
            ),
            ("\"key_id\"", "\"id\"", "field `key_id`: it is missing"),
            ("\"bytes\":\"", "\"bytes\":\"0", "field `signature.bytes`: "),
            ("}}", "}", "field `the whole line`: "),
        ] {
            assert!(line.contains(from), "{line}");
            let error = Anchor::from_json(&line.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().starts_with(named), "{error}");
        }
    }

    #[test]
    fn a_signature_holds_for_one_head_of_one_execution_at_one_time() {
        let signed = signed();
        assert!(holds(&signed) && !holds(&anchor()));
        let other = key().public_key();
        type Edit = fn(&mut Anchor, PublicKey);
        let edits: [(&str, Edit); 6] = [
            ("execution", |it, _| {
                it.execution_id = ExecutionId::from_bytes([2; 16]);
            }),
            ("sequence", |it, _| it.head.sequence += 1),
            ("head", |it, _| it.head.hash[31] ^= 1),
            ("at", |it, _| it.at += 1),
            ("key", |it, other| signature(it).key = other),
            ("bytes", |it, _| signature(it).bytes[63] ^= 1),
        ];
        for (what, edit) in edits {
            let mut edited = signed.clone();
            edit(&mut edited, other);
            assert!(!holds(&edited), "{what}");
        }
    }

    fn signature(anchor: &mut Anchor) -> &mut Signature {
        match &mut anchor.signature {
            Some(AnchorSignature::Ed25519(signature)) => signature,
            other => panic!("{other:?}"),
        }
    }

    /// Another program may sign with what this one does not know.
    #[test]
    fn a_signature_of_an_unknown_algorithm_is_read_and_not_believed() {
        let line = anchor().to_json();
        let line = line.replace(
            "}",
            r#","key_id":"k1","signature":{"algorithm":"ml-dsa","key":"k","more":[1]}}"#,
        );
        let read = Anchor::from_json(&line).unwrap();
        let other = AnchorSignature::Other {
            algorithm: "ml-dsa".to_owned(),
            key_id: "k1".to_owned(),
        };
        assert_eq!(read.signature, Some(other));
        assert!(!holds(&read));
    }

    /// The bytes as a program in another language would put them together.
    #[test]
    fn what_is_signed_is_what_the_document_says() {
        let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let key = PublicKey([3; 32]);
        let expected = [
            text("refrain-anchor/1"),
            text("exec_01010101010101010101010101010101"),
            7_u64.to_le_bytes().to_vec(),
            vec![2; 32],
            1_767_225_600_000_u64.to_le_bytes().to_vec(),
            text(&key.fingerprint()),
        ];
        assert_eq!(anchor().signed_bytes(&key), expected.concat());
    }
}
