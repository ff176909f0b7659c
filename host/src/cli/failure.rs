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
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Errors that wrap others often repeat them word by word.
        if !said.ends_with(&cause) {
            text.push_str("\n  cause: ");
            text.push_str(&cause.replace('\n', "\n         "));
        }
        said = cause;
    }
    text
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
            (anyhow::anyhow!("a"), "error: a"),
            (anyhow::anyhow!("a").context("b"), "error: b\n  cause: a"),
            (anyhow::anyhow!("a").context("b: a"), "error: b: a"),
        ];
        for (error, expected) in table {
            assert_eq!(text(&error), expected);
        }
    }
}
