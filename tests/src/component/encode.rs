//! From a core module to a component, without a word about who made it.

use anyhow::{Context, Result, ensure};
use wit_component::ComponentEncoder;

/// Encode a core module that carries the contract's metadata.
pub fn component(module: &[u8]) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .module(&without_notes(module)?)?
        .validate(true)
        .encode()?;
    without_notes(&component)
}

/// The same module or component without the custom sections in which tools
/// leave notes about themselves. Those that `wit-component` reads stay.
pub(super) fn without_notes(wasm: &[u8]) -> Result<Vec<u8>> {
    let (header, mut rest) = wasm.split_at_checked(8).context("the module is cut off")?;
    let mut kept = header.to_vec();
    while let Some((section, after)) = split_section(rest) {
        if !section.is_note() {
            kept.extend_from_slice(section.whole);
        }
        rest = after;
    }
    ensure!(rest.is_empty(), "the module is cut off in a section");
    Ok(kept)
}

/// One section of a module or component.
struct Section<'a> {
    whole: &'a [u8],
    custom_name: Option<&'a [u8]>,
}

impl Section<'_> {
    fn is_note(&self) -> bool {
        self.custom_name
            .is_some_and(|name| !name.starts_with(b"component-type"))
    }
}

fn split_section(bytes: &[u8]) -> Option<(Section<'_>, &[u8])> {
    let (&id, after_id) = bytes.split_first()?;
    let (length, contents) = leb128(after_id)?;
    let (contents, after) = contents.split_at_checked(length)?;
    let custom_name = || leb128(contents).and_then(|(length, rest)| rest.get(..length));
    let whole = &bytes[..bytes.len() - after.len()];
    Some((
        Section {
            whole,
            custom_name: (id == 0).then(custom_name).flatten(),
        },
        after,
    ))
}

/// An unsigned number in WebAssembly's variable-length form.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}
