//! What is said of a command that was not typed as it should be, and help.

use std::process::ExitCode;
use std::slice;

use clap::error::{ContextKind, ContextValue};
use refrain::id::ExecutionId;

use super::named::NamedError;
use super::text::Text;
use super::{Answer, database, failure, output, stderr};

/// What the reader of arguments answers itself: help, the version, or what is
/// wrong with them. It repeats arguments, which may hold anything.
pub(super) fn answer(answer: &clap::Error) -> ExitCode {
    // Rendered without what it takes for colours, a word would not be found.
    let mut text = answer.render().ansi().to_string();
    for (_, value) in answer.context() {
        let repeated = match value {
            ContextValue::String(word) => slice::from_ref(word),
            ContextValue::Strings(words) => words,
            _ => &[],
        };
        for word in repeated.iter().filter(|word| word.contains('\n')) {
            text = text.replace(word, Text::word(word).as_str());
        }
    }
    if let Some(tip) = tip(answer) {
        text.push_str(tip);
    }
    let text = Text::laid_out(&text);
    let code = if answer.use_stderr() {
        stderr::talk(&text);
        if std::env::args_os().any(|word| word == "--json") {
            output::remember_document(&failure::of_usage(text.as_str()));
        }
        ExitCode::from(2)
    } else {
        output::data(&text);
        failure::exit_code(&Ok(Answer::Good), output::unwritten())
    };
    stderr::flush();
    code
}

/// What helps where something else stands in the place of an execution's id, or nothing
/// in that of the database.
fn tip(answer: &clap::Error) -> Option<&'static str> {
    let argument = answer.get(ContextKind::InvalidArg);
    let is_of_database =
        matches!(argument, Some(ContextValue::String(it)) if it.starts_with("--db "));
    if is_of_database && database::variable_is_empty() {
        return Some(
            "\n  tip: REFRAIN_DB is set, and empty; unset it, or let it name a database\n",
        );
    }
    let source = std::error::Error::source(answer);
    if !source.is_some_and(|it| it.is::<NamedError>()) {
        return None;
    }
    let is_typed = |is_it: fn(&str) -> bool| std::env::args().skip(1).any(|word| is_it(&word));
    let is_of_file = |word: &str| word == "--file" || word.starts_with("--file=");
    Some(
        if is_typed(|word| word == "explain") && is_typed(is_of_file) {
            "\n  tip: with --file, name the node with `--node NODE`\n"
        } else if is_typed(|word| word.parse::<ExecutionId>().is_ok()) {
            "\n  tip: the id of the execution comes before all else; the arguments are in another order\n"
        } else {
            "\n  tip: `refrain list` shows the ids of all executions\n"
        },
    )
}
