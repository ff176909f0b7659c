//! The built-in worker of the queue `command`: runs a program.
//!
//! No shell, unless the workflow writes one. The node's input is JSON on
//! stdin; a JSON object on stdout is the output and the patch, other JSON or
//! text goes under the node's id; the field `output` may say which it is. `REFRAIN_EXECUTION`, `REFRAIN_NODE`,
//! `REFRAIN_ATTEMPT` and `REFRAIN_QUEUE` in its environment say which attempt of what
//! it is. It has no terminal. The node is settled when the program has ended, whatever it
//! leaves behind. When the attempt is stopped, the program and all it started
//! are told to end, and killed if they do not.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::error::WorkError;
use crate::json::Json;
use crate::model::WorkItem;

use super::attempt::UntilEnd;
use super::filled::{self, Filled};
use super::meaning::{OutputForm, ends_in_an_object};
use super::program_run::{self, Call};
use super::programs::Programs;
use crate::live::values::work::Answer;

/// The node's `kind`, as far as this worker reads it.
#[derive(Deserialize)]
struct Kind {
    /// The program and its arguments.
    argv: Vec<Filled>,
    /// Where it runs; the engine's own folder unless said.
    #[serde(default)]
    cwd: Option<Filled>,
    /// Variables on top of the engine's environment.
    #[serde(default)]
    env: BTreeMap<String, Filled>,
    /// What of stdout is the answer.
    #[serde(default)]
    output: Option<OutputForm>,
}

/// Run the program that the item's node names. The attempt has not ended before it has.
pub(crate) async fn run(
    item: WorkItem,
    programs: Arc<Programs>,
    until_end: UntilEnd,
) -> Result<Answer, WorkError> {
    let (kind, input) = read(&item)
        .map_err(|error| WorkError::permanent(format!("the payload is no command: {error}")))?;
    check(&kind)?;
    let Kind {
        argv,
        cwd,
        env,
        output,
    } = kind;
    let argv: Vec<String> = argv.into_iter().map(|Filled(text)| text).collect();
    let (program, arguments) = argv.split_first().ok_or_else(|| {
        WorkError::permanent("the node's `argv` is empty; name the program first")
    })?;
    let call = Call {
        program,
        arguments,
        folder: cwd.as_ref().map(|Filled(folder)| folder.as_str()),
        env: env
            .iter()
            .map(|(name, Filled(value))| (name.as_str(), value.clone()))
            .collect(),
        output,
    };
    let answer = program_run::run(&item, call, input.as_str(), &programs, until_end).await?;
    if output.is_none() {
        tell_if_an_object_is_lost(&item, &answer);
    }
    Ok(answer)
}

/// A program that writes lines before its answer has them all taken for a text, and the
/// keys of its answer are nowhere: that is told where the workflow does not say which is
/// meant.
fn tell_if_an_object_is_lost(item: &WorkItem, answer: &Answer) {
    let text: Result<Cow<'_, str>, _> = serde_json::from_str(answer.output.as_str());
    if text.is_ok_and(|text| ends_in_an_object(&text)) {
        tracing::warn!(
            refrain.execution = %item.execution_id,
            refrain.node = %item.node_id,
            "the program wrote lines before the JSON object that its output ends in, so that all of it is a text: `output` of the node's kind may be \"last_line\", which takes the object, or \"text\""
        );
    }
}

/// What no program can be given. The names of variables are the workflow's own, and
/// were checked with it.
fn check(kind: &Kind) -> Result<(), WorkError> {
    let refuse_nul =
        |text: &str, pointer: String| filled::refuse(text, |it| it == '\0', &pointer, "program");
    for (index, Filled(text)) in kind.argv.iter().enumerate() {
        refuse_nul(text, format!("/kind/argv/{index}"))?;
    }
    if let Some(Filled(folder)) = &kind.cwd {
        refuse_nul(folder, "/kind/cwd".to_owned())?;
    }
    for (name, Filled(value)) in &kind.env {
        refuse_nul(value, format!("/kind/env/{}", filled::step(name)))?;
    }
    Ok(())
}

fn read(item: &WorkItem) -> Result<(Kind, Json), serde_json::Error> {
    Ok((item.kind()?.parse()?, item.input()?))
}
