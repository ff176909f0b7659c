//! A second guest: it decides as the built-in one does, and is another by its bytes,
//! which have a section behind them that nobody reads.

use std::sync::LazyLock;

use refrain::guest::Library;
use refrain::log::digest::digest as digest_of;

use crate::component::product::SCHEDULER;
use crate::sections;

/// The id of a custom section.
const CUSTOM: u8 = 0;

static TWIN: LazyLock<(Vec<u8>, String)> = LazyLock::new(|| {
    let mut bytes = SCHEDULER.committed().expect("it is committed");
    sections::append(&mut bytes, CUSTOM, b"\x04twin");
    let digest = digest_of(&bytes);
    (bytes, digest)
});

/// Its bytes.
#[must_use]
pub fn bytes() -> Vec<u8> {
    TWIN.0.clone()
}

/// Its digest.
#[must_use]
pub fn digest() -> &'static str {
    &TWIN.1
}

/// Puts it into a library, unless it is there.
///
/// # Panics
/// Where it is no component.
pub fn add(library: &mut Library) {
    if library.bytes(digest()).is_none() {
        library.add(bytes()).expect("it is a component");
    }
}
