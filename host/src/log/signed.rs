//! What all signed documents have in common: how a text stands in the bytes that are
//! signed, and how a signature is written in JSON.

use super::field::{Sink, Source};
use super::json::{JsonError, Reader, Writer};
use crate::model::{hex, parse_hex};
use crate::signing::{PublicKey, Signature};

/// The only algorithm that this program knows.
pub(super) const ALGORITHM: &str = "ed25519";

/// A text among the bytes that are signed: its length in bytes as a `u64`, little-endian,
/// and its UTF-8 bytes.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// The field `signature`: algorithm, public key and signature.
pub(super) fn write_signature(writer: &mut Writer, signature: &Signature) {
    let Signature { key, bytes } = signature;
    writer.record("signature", |writer| {
        writer.text("algorithm", ALGORITHM);
        writer.digest("key", &key.0);
        writer.text("bytes", &hex(bytes));
    });
}

/// What stands in the field `signature`.
pub(super) fn read_signature(reader: &mut Reader<'_>) -> Result<Signature, JsonError> {
    reader.choice("algorithm", &[ALGORITHM])?;
    read_ed25519(reader)
}

/// The same, behind the name of the algorithm.
pub(super) fn read_ed25519(reader: &mut Reader<'_>) -> Result<Signature, JsonError> {
    let key = PublicKey(reader.hash("key")?);
    let bytes = parse_hex(&reader.text("bytes")?);
    let bytes = bytes
        .ok_or_else(|| reader.error("bytes", "it should be 128 lower-case hexadecimal digits"))?;
    Ok(Signature { key, bytes })
}
