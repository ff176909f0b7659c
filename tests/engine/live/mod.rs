//! The live engine, whole: over each store, with workers, clocks and failures.

mod budgets;
mod built_in;
mod claims;
mod deaths;
mod doors;
mod endings;
mod freed;
mod past_wakes;
mod large;
mod lasting;
mod long_texts;
mod operators;
mod panics;
mod programs;
mod requests;
mod rest;
mod set_aside;
mod several;
mod scene;
mod scoped;
mod slots;
mod stepped;
mod time;
mod upgrades;
mod waiting_claims;
mod workers;
