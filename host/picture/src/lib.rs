//! The workflows and executions of Refrain as graphs, drawn.
//!
//! A workflow's text in, a picture out, and nothing else: no clock, no file, no scheduler. So
//! the same code draws for the program `refrain`, whose library shows it as
//! `refrain::picture` and says what it is for and what may be relied on, and, built for
//! `wasm32-unknown-unknown`, for pages ([`page`], and `door` around it).
//!
//! # The modules
//!
//! From the bottom up; each may use those above it in this list. A test of the workspace
//! (`tests/native/layers.rs`) holds the sources to that.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

// Foreign text as it may be shown.
pub mod escaped;
// The states of nodes.
mod state;
// Whole numbers near others.
mod rounding;
// What a workflow's text says of its nodes and edges.
pub mod graph;
// What is drawn, as data.
mod data;
// Text in so many columns.
mod columns;
// Signs and words for states and edges.
mod signs;
// A workflow's text becomes a picture.
mod reading;
// Where everything stands.
mod layout;
// The nodes by layers, for those who draw them themselves.
mod layers;
// How large the boxes are, and the places of nested ones.
mod placed;
// What can stand in XML.
mod xml;
// As SVG.
mod svg;
// As text: on lines that cross, boxes and lines; or a list.
mod lines;
mod drawing;
mod list;
mod text;
// In languages that other programs draw.
mod mermaid;
mod dot;
// For a page, which takes foreign workflows.
pub mod page;
// The exports of the WebAssembly module.
#[cfg(target_family = "wasm")]
mod door;

pub use columns::cut;
pub use data::{Compensation, Edge, Instances, Node, On, Picture, When};
pub use dot::dot;
pub use layers::layers;
pub use mermaid::mermaid;
pub use reading::{NoWorkflow, of_workflow};
pub use signs::sign;
pub use state::State;
pub use svg::svg;
pub use text::text;
