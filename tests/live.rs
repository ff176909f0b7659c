//! The live engine, whole: over each store, with workers, clocks and failures.

mod live {
    mod built_in;
    mod claims;
    mod endings;
    mod large;
    mod operators;
    mod programs;
    mod requests;
    mod several;
    mod slots;
    mod stepped;
    mod time;
    mod workers;
}
