//! Executions as people name them: by an id, by the beginning of one, or as the last
//! that was started.

use std::str::FromStr;

use refrain::ErrorRemedy;
use refrain::id::{ExecutionId, ExecutionIdError};
use refrain::replay::from_store;
use refrain::store::{ListFilter, Reader, Timestamp};

use super::coded::{coded, refuse};
use super::database::Database;
use super::failure::curable;

/// An execution, as somebody has typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By its id.
    Id(ExecutionId),
    /// By the first digits of its id.
    Beginning(Beginning),
    /// The one that was started or forked last.
    Last,
}

/// The first digits of an id: some, and not all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beginning(String);

/// The text names no execution.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} names no execution: write {PREFIX} and digits of an id (0 to 9, a to f), as many as are needed; at least {BARE_MIN} of them without {PREFIX}; or {LAST}"
)]
pub(super) struct NamedError(String);

/// What stands for the execution that was started or forked last.
const LAST: &str = "@last";

/// What ids begin with. It may be left out.
const PREFIX: &str = "exec_";

/// How many digits follow that.
const DIGITS: usize = 32;

/// So many digits at least stand for a beginning by themselves.
const BARE_MIN: usize = 4;

/// So many executions are told of where a beginning is that of several.
const TOLD_MAX: usize = 4;

impl Named {
    /// Its id.
    pub(super) fn find(&self, database: &Database) -> anyhow::Result<ExecutionId> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Beginning(beginning) => beginning.find(database),
            Self::Last => last(database),
        }
    }

    /// The ids of all of these.
    pub(super) fn find_all(
        these: &[Self],
        database: &Database,
    ) -> anyhow::Result<Vec<ExecutionId>> {
        these.iter().map(|named| named.find(database)).collect()
    }
}

impl Beginning {
    /// The first and the last id that begin with these digits.
    fn range(&self) -> Option<(ExecutionId, ExecutionId)> {
        let filled = |digit: char| {
            let rest = DIGITS.checked_sub(self.0.len())?;
            let rest: String = std::iter::repeat_n(digit, rest).collect();
            format!("{PREFIX}{}{rest}", self.0).parse().ok()
        };
        Some((filled('0')?, filled('f')?))
    }

    fn find(&self, database: &Database) -> anyhow::Result<ExecutionId> {
        let ids = self.range();
        let begins_so = |id: &ExecutionId| ids.is_some_and(|(a, z)| (a..=z).contains(id));
        let mut found = Vec::new();
        for mut store in database.open()? {
            let filter = ListFilter {
                ids,
                newest_first: true,
                max: TOLD_MAX + 1,
                ..ListFilter::default()
            };
            let listed = store.list(&filter)?;
            // One whose row is damaged has its name all the same.
            let damaged = listed.damaged.into_iter().filter_map(|it| it.execution);
            found.extend(listed.found.into_iter().map(|record| record.id));
            found.extend(damaged.filter(begins_so));
        }
        found.dedup();
        match found[..] {
            [id] => Ok(id),
            [] => Err(curable(
                "unknown_execution",
                format!(
                    "there is no execution whose id begins with {PREFIX}{}",
                    self.0
                ),
                ErrorRemedy::ListExecutions,
            )),
            [..] => {
                let ids: Vec<String> = found
                    .iter()
                    .take(TOLD_MAX)
                    .map(ToString::to_string)
                    .collect();
                let more = if found.len() > TOLD_MAX { ", …" } else { "" };
                refuse!(
                    "ambiguous_execution",
                    "the ids of several executions begin with {PREFIX}{}: {}{more}; type more digits",
                    self.0,
                    ids.join(", ")
                )
            }
        }
    }
}

/// The execution and the node that are meant by `sub/ask`, as nodes of children are told of:
/// the last child that `sub` asked for, and its node `ask`. What leads to no child stays as
/// it is.
pub(super) fn below(
    database: &Database,
    mut id: ExecutionId,
    node: &str,
) -> anyhow::Result<(ExecutionId, String)> {
    let mut node = node;
    while let Some((first, rest)) = node.split_once('/') {
        let children = database.holding(id)?.0.children(id)?;
        let Some(last) = children.iter().rev().find(|it| it.node_id == first) else {
            break;
        };
        (id, node) = (last.child, rest);
    }
    Ok((id, node.to_owned()))
}

/// The same behind an event of the execution: the last child that was asked for up to there,
/// behind the last event that its log had by the time of that event.
pub(super) fn below_at(
    database: &Database,
    mut id: ExecutionId,
    node: &str,
    mut sequence: u64,
) -> anyhow::Result<(ExecutionId, String, u64)> {
    let mut node = node;
    while let Some((first, rest)) = node.split_once('/') {
        let (mut store, _) = database.holding(id)?;
        let children = store.children(id)?;
        let mut asked_for = children.iter().filter(|it| it.node_id == first).peekable();
        if asked_for.peek().is_none() {
            break;
        }
        let not_there = || {
            coded(
                "no_event",
                format!(
                    "behind event {sequence} of {id}, {first} had no child yet; give a later event"
                ),
            )
        };
        let times = times(&mut store, id)?;
        let place = sequence.checked_sub(1).map(|place| place as usize);
        let Some(until) = place.and_then(|place| times.get(place)) else {
            // Where the log is opened, it is said that there is no such event.
            break;
        };
        let mut asked_for = asked_for.filter(|it| it.sequence <= sequence);
        let child = asked_for.next_back().ok_or_else(not_there)?.child;
        let there = self::times(&mut database.holding(child)?.0, child)?;
        let before = there.iter().take_while(|at| *at <= until).count() as u64;
        if before == 0 {
            return Err(not_there());
        }
        (id, node, sequence) = (child, rest, before);
    }
    Ok((id, node.to_owned(), sequence))
}

/// When the events of an execution were, as far as its log can be read.
fn times(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Vec<Timestamp>> {
    let reading = from_store(store, id)?;
    let events = reading.and_then(Result::ok);
    let events = events.iter().flat_map(|log| log.plain());
    Ok(events.map(|(event, _)| event.at).collect())
}

/// The execution that was started or forked last, of real time if there is any. A child
/// is not meant: its parent would be left where it is.
fn last(database: &Database) -> anyhow::Result<ExecutionId> {
    for mut store in database.open()? {
        if let Some(id) = store.last_begun()? {
            return Ok(id);
        }
    }
    refuse!(
        "unknown_execution",
        "there is no execution yet, and so no {LAST}; `refrain run` starts one"
    )
}

impl FromStr for Named {
    type Err = NamedError;

    fn from_str(text: &str) -> Result<Self, NamedError> {
        if text == LAST {
            return Ok(Self::Last);
        }
        let digits = text.strip_prefix(PREFIX).unwrap_or(text);
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        // Short words of these letters may be meant for something else.
        let least = if digits.len() == text.len() {
            BARE_MIN
        } else {
            1
        };
        let is_beginning = (least..DIGITS).contains(&digits.len()) && digits.chars().all(is_digit);
        if is_beginning {
            return Ok(Self::Beginning(Beginning(digits.to_owned())));
        }
        format!("{PREFIX}{digits}")
            .parse()
            .map_err(|_: ExecutionIdError| NamedError(text.to_owned()))
            .map(Self::Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_named_in_three_ways() {
        let id = ExecutionId::from_bytes([0xab; 16]);
        let digits = "ab".repeat(16);
        let beginning = |digits: &str| Named::Beginning(Beginning(digits.to_owned()));
        for (text, named) in [
            ("@last", Named::Last),
            (&id.to_string(), Named::Id(id)),
            (&digits, Named::Id(id)),
            ("exec_ab", beginning("ab")),
            ("exec_a", beginning("a")),
            ("abcd", beginning("abcd")),
            (&digits[..31], beginning(&digits[..31])),
        ] {
            assert_eq!(text.parse(), Ok(named), "{text}");
        }
        for text in [
            "",
            "a",
            "bad",
            "exec_",
            "EXEC_ab",
            "AB",
            "first",
            "exec_abg",
            &"a".repeat(33),
            "@",
            "ab ",
        ] {
            let error = text.parse::<Named>().expect_err(text).to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_beginning_stands_for_all_ids_that_begin_with_it() {
        let range = Beginning("ab".to_owned()).range();
        let (first, last) = range.expect("digits");
        assert_eq!(first.to_string(), format!("exec_ab{}", "0".repeat(30)));
        assert_eq!(last.to_string(), format!("exec_ab{}", "f".repeat(30)));
    }
}
