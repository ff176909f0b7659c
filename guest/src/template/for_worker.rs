//! What the worker puts into a text, and not the scheduler (rule R29): the execution's
//! id, which no decision may hold, and secrets, which no log may hold.
//!
//! Such a text stays a template in the payload. There `${secret.NAME}` and
//! `${execution_id}` are what the worker puts in, `$${` is a literal `${`, and `${'$'}` a
//! dollar that stands before one of the two. All else is as the text is to be.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use crate::condition::SyntaxError;
use crate::limits::SECRET_NAME_BYTES_MAX;

/// The execution's id.
const EXECUTION_ID: &str = "execution_id";

/// A secret; its name follows after a dot.
const SECRET: &str = "secret";

/// A dollar, where it would be read as part of what follows.
const DOLLAR: &str = "${'$'}";

/// Read what the worker puts in, from behind `${`: as the payload has it, and how many
/// bytes it is long, the closing brace included. `None` if this is an expression.
pub(super) fn parse(text: &str) -> Result<Option<(Box<str>, usize)>, SyntaxError> {
    let reading = text.trim_start();
    let word = word_of(reading);
    let after = &reading[word.len()..];
    let fail = |rest: &str, message: String| SyntaxError {
        offset: text.len() - rest.len(),
        message,
    };
    let (reference, rest) = match word {
        EXECUTION_ID => (String::from("${execution_id}"), after),
        SECRET => {
            let Some(named) = after.strip_prefix('.') else {
                let message = "a secret is written `${secret.NAME}`".into();
                return Err(fail(after, message));
            };
            let name = word_of(named);
            let is_name = !name.is_empty() && !name.starts_with(|it: char| it.is_ascii_digit());
            if !is_name || name.len() > SECRET_NAME_BYTES_MAX {
                return Err(fail(
                    named,
                    format!(
                        "a secret's name has 1 to {SECRET_NAME_BYTES_MAX} of the letters A to Z and a to z, digits and `_`, and begins with no digit"
                    ),
                ));
            }
            (format!("${{secret.{name}}}"), &named[name.len()..])
        }
        _ => return Ok(None),
    };
    let rest = rest.trim_start();
    if !rest.starts_with('}') {
        let message = format!(
            "the worker puts it in, so that it can be no part of an expression: `{reference}` stands alone"
        );
        return Err(fail(rest, message));
    }
    Ok(Some((reference.into(), text.len() - rest.len() + 1)))
}

/// The word that a text begins with.
fn word_of(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Write a text so that the worker reads it as it is. What follows it is something that
/// the worker puts in, unless it `is_last`.
pub(super) fn escaped(text: &str, is_last: bool) -> String {
    let dollars = match is_last {
        true => 0,
        false => text.len() - text.trim_end_matches('$').len(),
    };
    let mut escaped = text[..text.len() - dollars].replace("${", "$${");
    for _ in 0..dollars {
        escaped.push_str(DOLLAR);
    }
    escaped
}
