//! Panics of code that is not the engine's own: workers, stores, clocks.
//!
//! Such a panic is caught where it leaves foreign code, and becomes an error
//! with its message. Code that catches it must not use again what the foreign
//! code may have left half done.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Run this; the error is what a panic within it said.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(message)
}

/// Drop this, whatever its own code does meanwhile.
pub(crate) fn drop_caught<T>(value: T, what: &str) {
    if let Err(said) = caught(|| drop(value)) {
        tracing::warn!("{what} panicked when it was dropped: {said}");
    }
}

/// What a panic said. Its payload is foreign too, and may panic when it is dropped.
pub(crate) fn message(payload: Box<dyn Any + Send>) -> String {
    let said = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // One that panics again and again is better left where it is.
        std::mem::forget(second);
    }
    said.unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("it was dropped");
        }
    }

    #[test]
    fn every_panic_has_a_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let said = |run: fn()| caught(run).expect_err("it panics");
        assert_eq!(said(|| panic!("plain")), "plain");
        assert_eq!(said(|| panic!("number {}", 7)), "number 7");
        assert_eq!(said(|| std::panic::panic_any(7)), "without a message");
        assert_eq!(said(|| std::panic::panic_any(Bomb)), "without a message");
        assert_eq!(said(|| drop(Bomb)), "it was dropped");
        drop_caught(Bomb, "a bomb");
    }
}
