//! `refrain schema`: the JSON Schema of workflows.

use super::text::Text;
use super::{Answer, output};

/// The schema, as it was made from the tables of the scheduler's parser.
const SCHEMA: &str = include_str!("workflow.schema.json");

/// Print the JSON Schema of workflows, for editors
///
/// `refrain schema > workflow.schema.json`, and `"$schema": "workflow.schema.json"` in the workflow.
#[derive(clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run() -> Answer {
    output::data(&Text::laid_out(SCHEMA));
    Answer::Good
}
