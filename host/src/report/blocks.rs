//! Data in a page: in zlib (RFC 1950) and base64, which no browser takes for markup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec_zlib;

use crate::log::component;
use crate::replay::Recording;

/// How hard the compressor tries: a file is written once, and sent and opened often.
const LEVEL: u8 = 9;

/// Bytes in zlib and base64.
pub(super) fn packed(bytes: &[u8]) -> String {
    STANDARD.encode(compress_to_vec_zlib(bytes, LEVEL))
}

/// The export of a log in two parts.
pub(super) struct Export {
    /// All of it but the lines of components, which executions share. Its header names them.
    pub(super) log: Vec<u8>,
    /// These lines, each with the digest that it names.
    pub(super) components: Vec<(String, String)>,
}

impl Export {
    pub(super) fn of(recording: &Recording) -> Self {
        // A vector takes all that is written.
        let log = recording
            .export_without_components(Vec::new())
            .unwrap_or_default();
        let components = recording.components.iter();
        let components = components.map(|it| (it.digest.clone(), component::write(it)));
        Self {
            log,
            components: components.collect(),
        }
    }
}
