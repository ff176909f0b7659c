//! The text that is being read, and what is wrong with it where.

use alloc::string::String;
use core::fmt;

use winnow::LocatingSlice;
use winnow::Stateful;
use winnow::error::ParserError;
use winnow::stream::Location;

/// Why a text is no expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The byte at which the text stops being one.
    pub offset: usize,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.offset)
    }
}

impl core::error::Error for SyntaxError {}

/// The rest of the text, its place, and where that is.
pub(super) type Input<'a> = Stateful<LocatingSlice<&'a str>, Context>;

/// Where the text that is being read stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// How deep the brackets are.
    pub(super) depth: usize,
    /// Whether it may read `item` and `index`.
    pub(super) of_instance: bool,
}

impl<'a> ParserError<Input<'a>> for SyntaxError {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        failure(input, "unexpected text")
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// The place in the text.
pub(super) fn offset(input: &Input<'_>) -> usize {
    input.current_token_start()
}

/// An error at this place.
pub(super) fn failure(input: &Input<'_>, message: impl Into<String>) -> SyntaxError {
    SyntaxError {
        offset: offset(input),
        message: message.into(),
    }
}
