//! Guests that mean harm, or are no guests at all: each is contained, with an
//! error that says what it did, and nobody else is worse off.
//!
//! ```text
//! cut_off    an instance on its own: what it may not do ends the call, and is named
//! shipped    the guests of `tests/guests/hostile` in an engine, and from the command line
//! ```

mod cut_off;
mod shipped;
