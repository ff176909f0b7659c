//! The one block of a PEM file (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::KeyError;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The identifier of Ed25519, 1.3.101.112, in DER.
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// The bytes of the file's one block, which must have this label. Text around the
/// block is left aside, as RFC 7468 lets it be.
pub(super) fn block(text: &str, label: &'static str) -> Result<Vec<u8>, KeyError> {
    let lines = text.lines().map(str::trim);
    let labels: Vec<&str> = lines
        .clone()
        .filter_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(DASHES))
        .collect();
    match labels[..] {
        [] => return Err(KeyError::NoPem { expected: label }),
        [found] if found == label => {}
        [found] => {
            return Err(KeyError::Label {
                found: found.to_owned(),
                expected: label,
            });
        }
        _ => {
            return Err(KeyError::Several {
                blocks: labels.len(),
            });
        }
    }
    let damaged = |problem: String| KeyError::Block { problem };
    let end = format!("{END}{label}{DASHES}");
    let mut lines = lines.skip_while(|line| !line.starts_with(BEGIN)).skip(1);
    let base64: String = lines.by_ref().take_while(|line| *line != end).collect();
    if !text.lines().any(|line| line.trim() == end) {
        return Err(damaged(format!("no line says `{end}`")));
    }
    STANDARD
        .decode(base64)
        .map_err(|error| damaged(format!("it is no base64: {error}")))
}

/// The file that [`block`] reads like this.
pub(super) fn write(der: &[u8], label: &str) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    // RFC 7468 has 64 characters in a line.
    for line in base64.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + END + label + DASHES + "\n"
}

/// Why this DER is no Ed25519 key in that encoding.
pub(super) fn refused(der: &[u8], label: &'static str, format: &'static str) -> KeyError {
    match der.windows(ED25519.len()).any(|it| it == ED25519) {
        true => KeyError::Encoding { format },
        false => KeyError::Algorithm { expected: label },
    }
}
