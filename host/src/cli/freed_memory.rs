//! When memory that the program has freed goes back to the system.

use std::ffi::{c_int, c_long};

/// The allocator's option of this number: for how many milliseconds it keeps freed memory, to
/// use it again. Unless somebody says otherwise that is a second, in which a log of 100,000
/// events is read, packed, and stands in memory twice.
const PURGE_DELAY: c_int = 15;

/// As measured, soon enough for that, and late enough for an engine: its steps free much that
/// the next ones need.
const SOON_MS: c_long = 200;

unsafe extern "C" {
    /// Sets an option that the environment has not set.
    fn mi_option_set_default(option: c_int, value: c_long);
}

/// From now on it goes back soon, unless the environment says when. The allocator keeps the delay
/// of memory that is waiting already, and what is freed later waits for that: call this before
/// anything else.
#[expect(unsafe_code, reason = "the allocator's options have no safe form")]
pub(super) fn goes_back_soon() {
    // SAFETY: the allocator is the program's own; it takes any number for this option.
    unsafe { mi_option_set_default(PURGE_DELAY, SOON_MS) };
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        fn mi_option_get(option: c_int) -> c_long;
    }

    #[expect(unsafe_code, reason = "the allocator's options have no safe form")]
    fn delay_ms() -> c_long {
        // SAFETY: it only reads a number.
        unsafe { mi_option_get(PURGE_DELAY) }
    }

    /// The number stands in the allocator's header, and may be another one in its next version.
    #[test]
    fn the_option_of_this_number_is_the_one_that_is_meant() {
        assert_eq!(delay_ms(), 1000);
        goes_back_soon();
        assert_eq!(delay_ms(), SOON_MS);
    }
}
