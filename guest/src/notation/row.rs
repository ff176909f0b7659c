//! A row: a time, facts or a question, and the expected outputs.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::{split, words};

/// One row of a table.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) line: &'a str,
    pub(super) at: u64,
    pub(super) actions: Vec<Action<'a>>,
    pub(super) expected: Vec<&'a str>,
}

/// One action: a verb, and what follows it.
#[derive(Clone, Debug)]
pub struct Action<'a> {
    pub(super) verb: &'a str,
    rest: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// Read a row. None: the line is none, because it begins with no time.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let (at, rest) = line.split_once(char::is_whitespace)?;
        let at = at.parse().ok()?;
        let (actions, expected) = rest.split_once("=>").unwrap_or((rest, ""));
        let actions = split(actions, ';')
            .into_iter()
            .filter_map(Action::read)
            .collect();
        Some(Self {
            line,
            at,
            actions,
            expected: split(expected, ','),
        })
    }
}

impl<'a> Action<'a> {
    /// Read an action. None: the text is empty.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut words = words(text).into_iter();
        Some(Self {
            verb: words.next()?,
            rest: words.collect(),
        })
    }

    /// The first word after the verb: a node, a key.
    pub(super) fn subject(&self) -> Result<&'a str, String> {
        self.rest
            .first()
            .copied()
            .ok_or_else(|| format!("`{}` needs to say of what", self.verb))
    }

    /// A word after the subject that is neither JSON nor an option.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        self.rest
            .iter()
            .skip(1)
            .copied()
            .filter(|word| !word.starts_with(['{', '[', '"']) && !word.contains('='))
    }

    /// The JSON after the subject.
    pub(super) fn json(&self) -> Option<&'a str> {
        self.rest
            .iter()
            .skip(1)
            .copied()
            .find(|word| word.starts_with(['{', '[', '"']))
    }

    /// The value of `name=value`.
    pub(super) fn option(&self, name: &str) -> Option<&'a str> {
        self.rest
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// The number of `name=number`.
    pub(super) fn number<T: core::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| format!("`{name}={text}` is no number"))
        };
        self.option(name).map(parse).transpose()
    }
}
