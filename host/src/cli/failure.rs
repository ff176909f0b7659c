//! How the command line says that it could not do what was asked.

use std::io;
use std::process::ExitCode;

use super::output;

/// Tell the person, and answer with the exit code 2.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    // `refrain log … | head` closes the pipe: that is no failure of ours.
    if error.chain().any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    output::say(&text(error));
    ExitCode::from(2)
}

/// The error and its causes, a line each.
pub(super) fn text(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in causes(error) {
        text.push_str("\n  cause: ");
        text.push_str(&cause.replace('\n', "\n         "));
    }
    text
}

/// The error and its causes in one line.
pub(super) fn line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in causes(error) {
        line.push_str(": ");
        line.push_str(&cause);
    }
    line
}

/// The causes that say something new: errors that wrap others often repeat
/// them word by word.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !said.ends_with(&cause) {
            causes.push(cause.clone());
        }
        said = cause;
    }
    causes
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_listed_once() {
        let table = [
            (anyhow::anyhow!("a"), "error: a", "a"),
            (
                anyhow::anyhow!("a").context("b"),
                "error: b\n  cause: a",
                "b: a",
            ),
            (anyhow::anyhow!("a").context("b: a"), "error: b: a", "b: a"),
        ];
        for (error, lines, one_line) in table {
            assert_eq!(text(&error), lines);
            assert_eq!(line(&error), one_line);
        }
    }
}
