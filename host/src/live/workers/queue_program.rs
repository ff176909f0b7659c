//! Any program as the worker of a queue: it is run for each item of the queue.
//!
//! The item's payload, `{"node_id", "kind", "input"}`, is JSON on stdin. All else is as
//! for the nodes that name a program themselves ([`command`](super::command)): the
//! environment, what stdout means, and how it is told to end.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::WorkError;
use crate::model::WorkItem;

use super::attempt::UntilEnd;
use super::program_run::{self, Call};
use super::programs::Programs;
use crate::live::values::work::Answer;

/// Run the program for this item. The attempt has not ended before it has.
pub(crate) async fn run(
    item: WorkItem,
    words: Arc<[String]>,
    programs: Arc<Programs>,
    until_end: UntilEnd,
) -> Result<Answer, WorkError> {
    let (program, arguments) = words.split_first().ok_or_else(|| {
        WorkError::permanent("the worker of this queue is a program without a name")
    })?;
    let call = Call {
        program,
        arguments,
        folder: None,
        env: BTreeMap::new(),
        output: None,
    };
    program_run::run(&item, call, &item.payload, &programs, until_end).await
}
