//! How the command line says that it could not do what was asked, and what
//! its exit code is.

use std::io;
use std::process::ExitCode;

use refrain::erase::EraseError;
use refrain::error::causes;
use refrain::guest::LibraryError;
use refrain::json::JsonError;
use refrain::replay::{AnchorError, AuditError};
use refrain::signing::KeyError;
use refrain::simulation::SimulationError;
use refrain::store::StoreError;
use refrain::{EngineError, ErrorRemedy};
use serde_json::{Value, json};

use super::coded::Coded;
use super::database::Database;
use super::text::{Text, text};
use super::{Answer, output, remedy};

/// An error of the command line itself, of which it is known what helps.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Curable {
    code: &'static str,
    message: String,
    remedy: Help,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What helps: what the library knows of, or something to type.
#[derive(Debug)]
enum Help {
    OfLibrary(ErrorRemedy),
    ToType(Text),
}

/// An error against which what is said helps.
pub(super) fn curable_by(code: &'static str, message: String, remedy: Text) -> anyhow::Error {
    anyhow::Error::new(Curable {
        code,
        message,
        remedy: Help::ToType(remedy),
        source: None,
    })
}

/// An error against which this helps.
pub(super) fn curable(code: &'static str, message: String, remedy: ErrorRemedy) -> anyhow::Error {
    let source = None;
    anyhow::Error::new(Curable {
        code,
        message,
        remedy: Help::OfLibrary(remedy),
        source,
    })
}

/// The same, with its cause.
pub(super) fn curable_because(
    code: &'static str,
    message: String,
    remedy: ErrorRemedy,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> anyhow::Error {
    let source = Some(Box::new(cause).into());
    anyhow::Error::new(Curable {
        code,
        message,
        remedy: Help::OfLibrary(remedy),
        source,
    })
}

/// Tell the person of what went wrong, and answer with the exit code. It is
/// the verdict, whatever became of the output.
pub(super) fn exit_code(
    answer: &anyhow::Result<Answer>,
    unwritten: Option<&io::Error>,
) -> ExitCode {
    if let Err(error) = answer {
        output::tell(&text(error));
        if output::owes_document() {
            output::remember_document(&document(error));
        }
    }
    // `refrain log … | head` closes the pipe: that is no failure of ours.
    let unwritten = unwritten.filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    if let Some(error) = unwritten {
        output::tell(&text!("error: cannot write to stdout\n  cause: {}", error));
    }
    match answer {
        Ok(Answer::Bad) => ExitCode::from(1),
        Ok(Answer::Good) if unwritten.is_none() => ExitCode::SUCCESS,
        Ok(Answer::Good | Answer::Undone) | Err(_) => ExitCode::from(2),
    }
}

/// The error and its causes, a line each.
pub(super) fn text(error: &anyhow::Error) -> Text {
    let mut text = text!("error: {}", Text::lines(&error.to_string()));
    for cause in causes(error.as_ref()) {
        text.push(&text!("\n  cause: {}", Text::lines(&cause)));
    }
    if let Some(remedy) = remedy(error) {
        text.push(&text!("\n  remedy: {}", remedy));
    }
    text
}

/// The same for programs: it stands on stdout in the place of the answer.
fn document(error: &anyhow::Error) -> Value {
    json!({ "error": fields(error) })
}

/// What documents say of an error.
pub(super) fn fields(error: &anyhow::Error) -> Value {
    json!({
        "code": code(error),
        "message": line(error),
        "remedy": remedy(error).as_ref().map(Text::as_str),
    })
}

/// The same of a command that was not typed as it should be.
pub(super) fn of_usage(said: &str) -> Value {
    let message = said.trim_end();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    json!({ "error": { "code": "usage", "message": message, "remedy": null } })
}

/// What kind of error it is, in a word that does not change.
fn code(error: &anyhow::Error) -> &'static str {
    if let Some(coded) = error.downcast_ref::<Coded>() {
        return coded.code;
    }
    let known = error.chain().find_map(code_of);
    // All that is left is about this program and its machine.
    known.unwrap_or("failed")
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let engine = cause.downcast_ref::<EngineError>().map(EngineError::code);
    let store = cause.downcast_ref::<StoreError>().map(StoreError::code);
    let library = cause.downcast_ref::<LibraryError>().map(LibraryError::code);
    let erase = cause.downcast_ref::<EraseError>().map(EraseError::code);
    let curable = cause.downcast_ref::<Curable>().map(|it| it.code);
    let audit = cause.downcast_ref::<AuditError>();
    let is_change = matches!(audit, Some(AuditError::Change { .. }));
    let kinds = [
        (cause.is::<KeyError>(), "invalid_key"),
        (cause.is::<AnchorError>(), "invalid_anchors"),
        (is_change, "invalid_change"),
        (cause.is::<AuditError>(), "not_audited"),
        (cause.is::<SimulationError>(), "not_simulated"),
        (cause.is::<JsonError>(), "invalid_json"),
        (cause.is::<io::Error>(), "io"),
    ];
    let of_kind = || kinds.into_iter().find_map(|(is, code)| is.then_some(code));
    let of_type = engine.or(store).or(library).or(erase).or(curable);
    of_type.or_else(of_kind)
}

/// What helps, as something to type, if something is known to. The library cannot say
/// that, because it does not know this program.
fn remedy(error: &anyhow::Error) -> Option<Text> {
    let database = Database::opened();
    error.chain().find_map(|cause| {
        if let Some(key) = cause.downcast_ref::<KeyError>() {
            return key.remedy().map(Text::lines);
        }
        if cause.is::<AnchorError>() {
            return Some(remedy::of_anchors(&database));
        }
        if let Some(Curable {
            remedy: Help::ToType(text),
            ..
        }) = cause.downcast_ref()
        {
            return Some(text.clone());
        }
        kind_of_remedy(cause).map(|it| remedy::of_error(it, &database))
    })
}

fn kind_of_remedy(cause: &(dyn std::error::Error + 'static)) -> Option<ErrorRemedy> {
    if let Some(Curable {
        remedy: Help::OfLibrary(remedy),
        ..
    }) = cause.downcast_ref()
    {
        return Some(*remedy);
    }
    let engine = cause.downcast_ref::<EngineError>();
    let store = cause.downcast_ref::<StoreError>();
    let library = cause.downcast_ref::<LibraryError>();
    match (engine, store, library) {
        (Some(error), ..) => ErrorRemedy::of_engine(error),
        (_, Some(error), _) => ErrorRemedy::of_store(error),
        (.., Some(error)) => ErrorRemedy::of_library(error),
        _ => match cause.downcast_ref::<EraseError>() {
            Some(EraseError::Unknown(_)) => Some(ErrorRemedy::ListExecutions),
            _ => None,
        },
    }
}

/// The error and its causes in one line.
pub(super) fn line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in causes(error.as_ref()) {
        line.push_str(": ");
        line.push_str(&cause);
    }
    line
}

/// Whether it is about something stored that is damaged, and not about the
/// store as a whole.
pub(super) fn is_damage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let engine = cause.downcast_ref::<EngineError>();
        let store = cause.downcast_ref::<StoreError>();
        let audit = cause.downcast_ref::<AuditError>();
        match (engine, store, audit) {
            (Some(error), ..) => error.is_of_one(),
            (_, Some(error), _) | (.., Some(AuditError::Store(error))) => error.is_of_one(),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain::ExecutionId;
    use refrain::replay::Anchors;

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
            assert_eq!(text(&error).as_str(), lines);
            assert_eq!(line(&error), one_line);
        }
    }

    #[test]
    fn what_the_library_cannot_say_is_added() {
        let place = || "refrain.db".to_owned();
        let (execution, message) = (ExecutionId::from_bytes([7; 16]), String::new());
        let tampered = StoreError::Tampered {
            place: place(),
            execution,
            sequence: 3,
            message,
        };
        let digest = "00".to_owned();
        let unreadable = Anchors::read("", "heads").expect_err("it is empty");
        let damaged = || "damaged".to_owned();
        let (audit, cause) = (
            ErrorRemedy::Audit(execution),
            StoreError::Missing { place: place() },
        );
        let table: [(anyhow::Error, Option<&str>); 9] = [
            (
                EngineError::UnknownExecution(execution).into(),
                Some("refrain list"),
            ),
            (EraseError::Unknown(execution).into(), Some("refrain list")),
            (
                EngineError::from(tampered).into(),
                Some("refrain resume exec_"),
            ),
            (
                StoreError::Missing { place: place() }.into(),
                Some("--db PATH"),
            ),
            (
                LibraryError::Unknown { digest }.into(),
                Some("--guest FILE.wasm"),
            ),
            (unreadable.into(), Some("refrain list --json")),
            (
                curable("log_damaged", damaged(), audit),
                Some("refrain audit exec_"),
            ),
            (
                curable_because("log_damaged", damaged(), audit, cause),
                Some("refrain audit exec_"),
            ),
            (EngineError::ShutDown.into(), None),
        ];
        for (error, named) in table {
            let said = remedy(&error.context("in vain"));
            match (&said, named) {
                (Some(said), Some(named)) => {
                    assert!(said.as_str().contains(named), "{said:?}");
                }
                (said, named) => assert_eq!(said.as_ref().map(Text::as_str), named),
            }
        }
    }
}
