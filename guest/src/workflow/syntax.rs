//! Expressions in a workflow, read; what is none is reported with its column.

use alloc::format;
use alloc::string::String;

use super::fault::{Faults, Place, quoted};
use crate::condition::{Expression, Roots, SyntaxError};

/// The expression at `place`, over these roots; None, and a fault, if it is none.
pub(super) fn expression(
    place: &Place<'_>,
    text: &str,
    roots: Roots,
    faults: &Faults,
) -> Option<Expression> {
    Expression::parse_over(text, roots)
        .map_err(|error| report_syntax(place.pointer(), text, &error, CORRECT, faults))
        .ok()
}

/// What to do about a text that is no expression.
const CORRECT: &str = "correct the expression";

/// What to do about a text that holds one that is none.
const CORRECT_OR_ESCAPE: &str =
    "correct the expression, or write `$${` where the text is to hold `${` itself";

/// What an expression may hold, told with the first fault.
const LANGUAGE: &str = "paths, literals, lists, == != < <= > >= in && || ! ? : + ( ) has() size() contains() startsWith() endsWith()";

/// Report that a text holds an expression that is none, with the column in the text.
pub(super) fn report_template(pointer: String, text: &str, error: &SyntaxError, faults: &Faults) {
    report_syntax(pointer, text, error, CORRECT_OR_ESCAPE, faults);
}

fn report_syntax(pointer: String, text: &str, error: &SyntaxError, remedy: &str, faults: &Faults) {
    let column = text[..error.offset].chars().count() + 1;
    let message = format!(
        "{} does not parse: {} (column {column})",
        quoted(text),
        error.message
    );
    let bare = text
        .trim()
        .strip_prefix("${")
        .and_then(|text| text.strip_suffix('}'));
    let remedy = match bare {
        Some(_) if remedy == CORRECT => "write the expression itself here, without `${ }`",
        _ => remedy,
    };
    let remedy = match faults.tell_of_expressions() {
        true => format!("{remedy}; it may hold {LANGUAGE}"),
        false => String::from(remedy),
    };
    faults.report_at(pointer, message, remedy);
}
