//! A component from anywhere: whatever the bytes, they are refused with a
//! sentence, or they are a guest. The compiler never crashes of them.
//!
//! There is no target for cargo-fuzz with this body: it would have to build all
//! of wasmtime, which is fuzzed by those who make it. What is fuzzed here is
//! the door before it, and that it is asked for nothing that it cannot do.

use std::sync::{Mutex, OnceLock, PoisonError};

use refrain::guest::{CallLimits, ComponentError, Library, LibraryError, Sandbox};

/// Check these bytes, and say whether they are a guest.
///
/// # Panics
/// Where something does not hold.
pub fn check(data: &[u8]) -> bool {
    let mut library = library();
    let reason = match library.add(data.to_vec()) {
        Err(reason) => reason,
        Ok(digest) => match library.check(&digest) {
            Ok(()) => return true,
            Err(LibraryError::Refused { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
        },
    };
    assert!(
        !matches!(
            reason,
            ComponentError::Crashed
                | ComponentError::CompilesTooLong { .. }
                | ComponentError::CompilerBusy { .. }
        ),
        "{reason}"
    );
    let sentence = reason.to_string();
    assert!(sentence.contains("; "), "{sentence} says no remedy");
    false
}

/// A fresh library in one sandbox. Its code is not kept: most of it is nobody's.
fn library() -> Library {
    static FIRST: OnceLock<Mutex<Library>> = OnceLock::new();
    let first = FIRST.get_or_init(|| {
        let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
        Mutex::new(Library::new(sandbox.without_code_cache()))
    });
    let first = first.lock().unwrap_or_else(PoisonError::into_inner);
    first.clone()
}
