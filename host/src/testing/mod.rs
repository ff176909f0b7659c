//! Tests of workflows: cases that are played by the scheduler itself, on a simulated clock.
//!
//! A case says what a workflow is given, what its workers answer, what people do and when,
//! and what is expected. It is played by the scheduler component in an engine on a memory
//! store, so what passes here is decided the same way later. No time passes and nothing is
//! written anywhere; the same cases give the same report, to the byte.
//!
//! Cases stand in a file (its form is in `docs/testing-workflows.md`; `refrain test` runs
//! it), which a test of your own can run too:
//!
//! ```
//! use refrain::testing::TestFile;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))?;
//! let report = TestFile::read("approval.test.yaml")?.run()?;
//! assert!(report.passed(), "{report:#?}");
//! assert_eq!(report.uncovered().count(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! or are built in Rust:
//!
//! ```
//! use std::time::Duration;
//!
//! use refrain::testing::{Act, Case, Expectation, NodeAnswer, TestFile};
//! use refrain::{Approval, Workflow};
//! use refrain::model::Status;
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # macro_rules! include_str { ("approval.json") => { core::include_str!("../../examples/approval.json") } }
//! let minute = Duration::from_secs(60);
//! let slow = NodeAnswer::completes(json!({ "draft": "…" })).after(minute);
//! let agrees = Act::decide(minute + Duration::from_secs(5), "review", Approval::approved("ada"));
//! let case = Case::new("somebody agrees")
//!     .answer("draft", slow)
//!     .act(agrees)
//!     .expect(Expectation::Status(Status::Completed))
//!     .expect(Expectation::path(["draft", "review", "cool_down", "publish"]))
//!     .expect(Expectation::elapsed(Duration::from_secs(67)));
//! let workflow = Workflow::from_json(include_str!("approval.json"))?;
//! let report = TestFile::new(workflow)?.case(case).run()?;
//! assert!(report.passed(), "{report:#?}");
//! # Ok(())
//! # }
//! ```

// Texts of people, with places.
mod text;
// What a workflow's text says of its nodes and edges.
mod graph;
// What people and other programs do in a case.
mod act;
// Cases, as they are built.
mod case;
// Cases, as they are read.
mod reading;
// Workflows, as they are written in YAML.
mod written;
// Which events about children settle nodes.
mod settled;
// A case is played.
mod play;
// What happened, a row for each event.
mod happened;
// Expectations against what happened.
mod judge;
// What came of it all.
mod report;
// A workflow and its cases.
mod file;
#[cfg(test)]
mod tests;

pub use act::Act;
pub use case::{Case, Expectation, NodeAnswer};
pub use file::{TestError, TestFile};
pub use happened::Row;
pub use judge::Verdict;
pub use report::{CaseReport, EdgeCoverage, Report};
pub use text::place::{FileError, FileFault};
pub use text::span::span_text;
pub use written::YamlWorkflow;
