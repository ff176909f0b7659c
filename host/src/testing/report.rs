//! What came of a file's cases.

use std::time::Duration;

use super::happened::Row;
use super::judge::Verdict;
use crate::json::Json;
use crate::model::Status;

/// What came of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Each case, in the order of the file.
    pub cases: Vec<CaseReport>,
    /// Each edge of the workflow, sorted by its ends: how well the cases cover it.
    pub edges: Vec<EdgeCoverage>,
}

impl Report {
    /// Whether all cases passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases.iter().all(CaseReport::passed)
    }

    /// The edges that were live in no case.
    pub fn uncovered(&self) -> impl Iterator<Item = &EdgeCoverage> {
        self.edges.iter().filter(|edge| edge.live_in == 0)
    }
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// What came of each expectation; before them, what did not go as the case says: acts
    /// and answers that were refused, and answers that a strict case lacks.
    pub verdicts: Vec<Verdict>,
    /// The status at its end.
    pub status: Status,
    /// The simulated time that it took.
    pub elapsed: Duration,
    /// The state at its end.
    pub state: Json,
    /// What happened.
    pub rows: Vec<Row>,
}

impl CaseReport {
    /// Whether all went as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.is_met)
    }
}

/// An edge, and the cases in which it was live.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgeCoverage {
    /// Where it comes from.
    pub from: String,
    /// Where it leads to; `end` for the end of the workflow.
    pub to: String,
    /// What has to become of its source, where that is more than a success: `failure` or
    /// `always`.
    pub on: Option<String>,
    /// Its condition, if it has one.
    pub condition: Option<String>,
    /// In how many cases it was live.
    pub live_in: usize,
}
