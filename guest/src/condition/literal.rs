//! Text and number literals.

use alloc::string::String;

use winnow::prelude::*;
use winnow::token::{any, take_while};

use super::input::{Input, SyntaxError, failure, offset};
use super::root::Root;

/// A JSON number, as it is written.
pub(super) fn number<'a>(input: &mut Input<'a>) -> Result<&'a str, SyntaxError> {
    let start = offset(input);
    let text = take_while(1.., |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+')
    })
    .parse_next(input)?;
    match crate::json::check(text) {
        Ok(()) => Ok(text),
        Err(malformed) => Err(SyntaxError {
            offset: start + malformed.offset,
            message: alloc::format!(
                "`{text}` is no number: {}; write it as in JSON",
                malformed.message
            ),
        }),
    }
}

/// A text in either quotes, decoded.
pub(super) fn text(input: &mut Input<'_>) -> Result<String, SyntaxError> {
    let start = offset(input);
    let quote = any.parse_next(input)?;
    let mut text = String::new();
    loop {
        let plain: &str = take_while(0.., |c| c != quote && c != '\\' && c != '\n' && c != '\r')
            .parse_next(input)?;
        text.push_str(plain);
        match next(input) {
            Some(c) if c == quote => return Ok(text),
            Some('\\') => text.push(escape(input)?),
            _ => {
                return Err(SyntaxError {
                    offset: start,
                    message: alloc::format!("this text has no closing {quote}"),
                });
            }
        }
    }
}

/// One character after a backslash: CEL's escapes, and those of JSON.
fn escape(input: &mut Input<'_>) -> Result<char, SyntaxError> {
    let start = offset(input) - 1;
    let code = match next(input) {
        Some('a') => Some(0x07),
        Some('b') => Some(0x08),
        Some('t') => Some(0x09),
        Some('n') => Some(0x0A),
        Some('v') => Some(0x0B),
        Some('f') => Some(0x0C),
        Some('r') => Some(0x0D),
        Some(c @ ('\\' | '/' | '?' | '"' | '\'' | '`')) => Some(u32::from(c)),
        Some('x' | 'X') => digits(input, 2, 16),
        Some('u') => digits(input, 4, 16).and_then(|code| pair(input, code)),
        Some('U') => digits(input, 8, 16),
        Some(c @ '0'..='3') => {
            digits(input, 2, 8).map(|code| (u32::from(c) - u32::from('0')) * 64 + code)
        }
        _ => None,
    };
    code.and_then(char::from_u32).ok_or_else(|| SyntaxError {
        offset: start,
        message: String::from(
            r#"unknown escape; there are \\ \" \' \n \r \t \xHH \uHHHH and the others of CEL"#,
        ),
    })
}

/// JSON writes a character beyond U+FFFF as two escapes.
fn pair(input: &mut Input<'_>, high: u32) -> Option<u32> {
    if !(0xD800..0xDC00).contains(&high) {
        return Some(high);
    }
    if (next(input), next(input)) != (Some('\\'), Some('u')) {
        return None;
    }
    let low = digits(input, 4, 16).filter(|low| (0xDC00..0xE000).contains(low))?;
    Some(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
}

fn digits(input: &mut Input<'_>, count: usize, radix: u32) -> Option<u32> {
    (0..count).try_fold(0_u32, |code, _| {
        code.checked_mul(radix)?
            .checked_add(next(input)?.to_digit(radix)?)
    })
}

fn next(input: &mut Input<'_>) -> Option<char> {
    let next: Result<char, SyntaxError> = any.parse_next(input);
    next.ok()
}

/// No literal, and no path: say what is meant.
pub(super) fn unknown_word(input: &Input<'_>, word: &str) -> SyntaxError {
    let roots = input.state.roots.listed();
    let remedy = match word {
        "and" => "write && instead".into(),
        "or" => "write || instead".into(),
        "not" => "write ! instead".into(),
        "True" | "False" | "None" | "nil" => "the words are true, false and null".into(),
        "error" => {
            "it can be read only by the condition of an edge with `on`: \"failure\" or \"always\""
                .into()
        }
        "secret" | "secrets" | "execution_id" => {
            "the worker puts it in: it stands alone, `${secret.NAME}` or `${execution_id}`, in `url`, `headers`, `body`, `argv`, `env`, `cwd` and the fields of a `task`"
                .into()
        }
        "item" | "index" => {
            "it can be read only in the body of a map, and in the compensation of one".into()
        }
        "output" => "it can be read only in the `compensate` of a node".into(),
        "last" | "iteration" => "it can be read only by a `subgraph` with `repeat`".into(),
        _ if Root::named(word).is_some() => {
            alloc::format!("there is none here; a path begins with {roots}")
        }
        _ => alloc::format!("a path begins with {roots}, and a text stands in quotes: \"{word}\""),
    };
    failure(input, alloc::format!("unknown word `{word}`; {remedy}"))
}
