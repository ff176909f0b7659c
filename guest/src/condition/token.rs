//! Signs, words and blanks: what the parser looks at.

use alloc::format;
use alloc::string::{String, ToString};

use winnow::combinator::opt;
use winnow::prelude::*;
use winnow::token::take_while;

use super::input::{Input, SyntaxError, failure};

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) fn spaced<'a, T>(
    input: &mut Input<'a>,
    token: fn(&mut Input<'a>) -> Parsed<T>,
) -> Parsed<T> {
    let token = token(input)?;
    blank(input)?;
    Ok(token)
}

pub(super) fn blank(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., [' ', '\t', '\n', '\r'])
        .void()
        .parse_next(input)
}

/// Take a sign and the blanks after it, if it stands here.
pub(super) fn eat(input: &mut Input<'_>, sign: &'static str) -> Parsed<bool> {
    let found = opt(sign).parse_next(input)?.is_some();
    blank(input)?;
    Ok(found)
}

pub(super) fn expect(input: &mut Input<'_>, sign: &'static str) -> Parsed<()> {
    if eat(input, sign)? {
        return Ok(());
    }
    Err(failure(
        input,
        format!("expected `{sign}`, found {}", found(input)),
    ))
}

pub(super) fn word<'a>(input: &mut Input<'a>) -> Parsed<&'a str> {
    spaced(input, |input| take_while(0.., is_word).parse_next(input))
}

pub(super) fn word_ahead<'a>(input: &Input<'a>) -> &'a str {
    let rest = rest(input);
    rest.split(|c| !is_word(c)).next().unwrap_or(rest)
}

pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

pub(super) fn found(input: &Input<'_>) -> String {
    match (word_ahead(input), rest(input).chars().next()) {
        ("", None) => "the end".to_string(),
        ("", Some(c)) => format!("`{c}`"),
        (word, _) => format!("`{word}`"),
    }
}

pub(super) fn rest<'a>(input: &Input<'a>) -> &'a str {
    input.input.as_ref()
}
