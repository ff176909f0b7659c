//! The laws and rules as properties, on the native core.
//!
//! Each holds for every generated workflow and every legal history of it
//! (`refrain_guest::strategies`), and names the laws and rules that it is
//! about. A failure prints the smallest case found, as a table of the
//! notation: paste it into `notation::check` and it plays.

mod ledger;
mod machines;
mod printed;
mod determined;
mod schedules;
mod compensations;
mod confluent;
mod spelling;
mod one_door;
mod graph;
mod bounds;
mod endings;
mod items;
mod explained;
mod codes;
mod hostile;
mod pictures;

use proptest::strategy::Strategy;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use refrain_guest::strategies::{History, histories, workflows};
use refrain_tests::runner;

/// Try a property on so many cases.
#[track_caller]
fn holds<S>(base: u32, strategy: S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S: Strategy,
{
    if let Err(failure) = runner(base).run(&strategy, property) {
        panic!("{failure}");
    }
}

/// Histories of all workflows.
fn lives() -> impl Strategy<Value = History> {
    histories(workflows())
}

/// A difference, as a failed case.
fn fail(reason: impl ToString) -> TestCaseError {
    TestCaseError::fail(reason.to_string())
}
