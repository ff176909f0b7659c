//! Guests that mean harm, or are no guests at all: each is contained, with an
//! error that says what it did, and nobody else is worse off.
//!
//! ```text
//! cut_off    an instance on its own: what it may not do ends the call, and is named
//! children   what a guest orders about children is what it decided, and the workflow holds
//! any_component  nothing that a file can hold makes the door panic
//! orders     what a guest orders is what the workflow holds, or its execution stalls
//! compiled   components that take long to compile, or that are composed
//! exact_fuel a call that needs just as much fuel as it has
//! questions  one that fails or loops where it is asked a question keeps nobody waiting
//! endless    one that goes on and on takes its share of each turn
//! talkative  one whose words are longer than anybody reads
//! steps      what a guest says of a step is what it did in it, or its execution stalls
//! handed_over  one that does not take an execution leaves it to the former one
//! shipped    the guests of `tests/guests/hostile` in an engine, and from the command line
//! ```

mod any_component;
mod children;
mod compiled;
mod cut_off;
mod endless;
mod exact_fuel;
mod full_disk;
mod handed_over;
mod orders;
mod questions;
mod shipped;
mod talkative;
mod steps;
