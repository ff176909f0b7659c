//! A component from anywhere: whatever the bytes, they are refused with a
//! sentence, or they are a guest; and what it does when it is first asked is
//! contained. The compiler never crashes of them.

use std::sync::{Mutex, OnceLock, PoisonError};

use refrain::guest::{CallLimits, ComponentError, Library, LibraryError, NoPorts, Sandbox};

/// Check these bytes as `refrain guest check` does, and say whether they are a
/// guest.
///
/// # Panics
/// Where something does not hold.
pub fn check(data: &[u8]) -> bool {
    let mut library = library();
    let reason = match library.add(data.to_vec()) {
        Err(reason) => reason,
        Ok(digest) => match library.check(&digest) {
            Ok(()) => {
                begins_or_says_why_not(&mut library, &digest);
                return true;
            }
            Err(LibraryError::Refused { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
        },
    };
    assert!(
        !matches!(
            reason,
            ComponentError::Crashed
                | ComponentError::CompilesTooLong { .. }
                | ComponentError::CompilerBusy
        ),
        "{reason}"
    );
    let sentence = reason.to_string();
    assert!(sentence.contains("; "), "{sentence} says no remedy");
    false
}

/// A guest may fail as soon as it begins, and when it is asked what it is.
fn begins_or_says_why_not(library: &mut Library, digest: &str) {
    let failure = match library.instance::<NoPorts>(digest) {
        Err(LibraryError::Start { failure, .. }) => failure.to_string(),
        Err(other) => panic!("{other}"),
        Ok(mut guest) => match guest.describe() {
            Ok(_) => return,
            Err(failure) => failure.to_string(),
        },
    };
    assert!(!failure.is_empty());
}

/// A fresh library in one sandbox. Its code is not kept: most of it is nobody's.
fn library() -> Library {
    static FIRST: OnceLock<Mutex<Library>> = OnceLock::new();
    let first = FIRST.get_or_init(|| {
        // A hundredth of what a guest may take: many of them begin with a loop
        // that does not end.
        let usual = CallLimits::default();
        let limits = CallLimits {
            fuel: usual.fuel.map(|fuel| fuel / 100),
            memory_bytes_max: usual.memory_bytes_max / 100,
            ..usual
        };
        let sandbox = Sandbox::new(limits).expect("wasmtime runs here");
        Mutex::new(Library::new(sandbox.without_code_cache()))
    });
    let first = first.lock().unwrap_or_else(PoisonError::into_inner);
    first.clone()
}
