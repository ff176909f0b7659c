//! A scheduler component as one line of an export.
//!
//! `{"component":"<digest>","bytes":664642,"zlib":"eJz…"}`: the SHA-256 of the
//! component, how many bytes it has, and these bytes compressed as RFC 1950 says
//! (zlib), in the base64 of RFC 4648 with its padding. A component of half a
//! megabyte has some 300 KB like this.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::limits::COMPONENT_BYTES_MAX;
use crate::log::digest::digest;
use crate::log::field::{Sink, Source};
use crate::log::json::{JsonError, Reader, Writer};

/// A component that an export holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The SHA-256 of its bytes, 64 hexadecimal digits.
    pub digest: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How hard the compressor tries: what most programs use.
const LEVEL: u8 = 6;

/// The line of a component.
pub(crate) fn write(component: &Component) -> String {
    let compressed = compress_to_vec_zlib(&component.bytes, LEVEL);
    let mut writer = Writer::new();
    writer.text("component", &component.digest);
    writer.number("bytes", component.bytes.len() as u64);
    writer.text("zlib", &STANDARD.encode(compressed));
    writer.finish()
}

/// The component of a line, which must have this digest.
pub(crate) fn read(text: &str, expected: &str) -> Result<Component, JsonError> {
    let mut reader = Reader::new(text, Vec::new())?;
    let named = reader.text("component")?;
    if named != expected {
        return Err(reader.error(
            "component",
            format!("the header names the component {expected} here"),
        ));
    }
    let length = reader.number("bytes", COMPONENT_BYTES_MAX as u64)?;
    let encoded = reader.text("zlib")?;
    reader.end()?;
    let malformed = |problem: String| reader.error("zlib", problem);
    let compressed = STANDARD
        .decode(encoded)
        .map_err(|error| malformed(format!("it is no base64: {error}")))?;
    // At most as many bytes as were announced are ever made of it.
    let limit = usize::try_from(length).unwrap_or(COMPONENT_BYTES_MAX);
    let bytes = decompress_to_vec_zlib_with_limit(&compressed, limit)
        .map_err(|error| malformed(format!("it is not {length} bytes, compressed: {error}")))?;
    if bytes.len() != limit {
        return Err(malformed(format!(
            "it holds {} bytes, and {length} are announced",
            bytes.len()
        )));
    }
    let found = digest(&bytes);
    if found != named {
        return Err(malformed(format!(
            "these bytes are another component, whose digest is {found}"
        )));
    }
    Ok(Component {
        digest: named,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(bytes: Vec<u8>) -> Component {
        Component {
            digest: digest(&bytes),
            bytes,
        }
    }

    #[test]
    fn every_component_comes_back() {
        for bytes in [vec![], b"\0asm".to_vec(), vec![7; 100_000]] {
            let component = component(bytes);
            let line = write(&component);
            assert_eq!(read(&line, &component.digest), Ok(component));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let one = component(b"\0asm of a scheduler".to_vec());
        let line = write(&one);
        let other = write(&component(b"\0asm of no scheduler".to_vec()));
        let body = |line: &str| line[line.find("\"bytes\"").unwrap()..].to_owned();
        let digest = one.digest.as_str();
        for (text, expected) in [
            (
                line.replacen(digest, "ab", 1),
                "field `component`: the header names",
            ),
            (
                format!("{{\"component\":\"{digest}\",{}", body(&other)),
                "field `zlib`: these bytes are another component",
            ),
            (
                line.replacen("\"bytes\":19", "\"bytes\":18", 1),
                "field `zlib`: it is not 18 bytes, compressed",
            ),
            (
                line.replacen("\"bytes\":19", "\"bytes\":20", 1),
                "field `zlib`: it holds 19 bytes, and 20 are announced",
            ),
            (
                line.replacen("\"bytes\":19", "\"bytes\":99999999999", 1),
                "field `bytes`: 99999999999 should be at most",
            ),
            (
                line.replacen("\"zlib\":\"", "\"zlib\":\"*", 1),
                "field `zlib`: it is no base64",
            ),
            (
                line.replacen("\"zlib\":\"", "\"zlib\":\"AAAA", 1),
                "field `zlib`: it is not 19 bytes, compressed",
            ),
        ] {
            let error = read(&text, digest).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
