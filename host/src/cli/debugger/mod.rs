//! A full-screen debugger over the log of an execution.
//!
//! All that is shown is read from the log by [`Travel`](refrain::replay::Travel), which
//! asks the guest that the log names, and by the nodes' fold. Nothing is written.
//!
//! The modules, from the bottom up; each may use those above it in this list.

// What each key does.
mod keys;
// Colours, and what stands for them where there are none.
mod styles;
// Which events are listed.
mod filter;
// The nodes at any place.
mod folds;
// What the guest says at the place.
mod seen;
// What it has said at places in a row.
// Places that are asked for before somebody goes there.
mod ahead;
// What is known of the place, and who asks for it.
mod answer_cache;
mod answers;
// One log, and the place in it.
mod level;
// Moves that look for something.
mod seeking;
// Texts over the screen.
mod pages;
// All that is asked and shown, without a terminal.
mod app;
// The parts of the screen.
mod graph_pane;
mod events_pane;
mod state_pane;
mod node_pane;
mod queue_pane;
mod footer;
// All of it at its place.
mod screen;
// The terminal.
mod full_screen;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_ahead;

pub(super) use full_screen::{Grown, can_be_shown, run};
pub(super) use level::Level;
