//! Small changes of data, as a fuzzer makes them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A change of some bytes.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Cut(Index, Index),
    Insert(Index, Vec<u8>),
    Overwrite(Index, u8),
    Repeat(Index, Index),
}

/// What the languages of the four targets are made of.
const TOKENS: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\u0000",
    "\n",
    " ",
    "null",
    "true",
    "-0.0",
    "1e400",
    "18446744073709551616",
    "state.",
    "input.",
    "has(",
    "size(",
    ")",
    "!",
    "&&",
    "||",
    "==",
    "<=",
    "in",
    "\"id\":",
    "\"end\"",
    "\"type\":\"wait\"",
    "\"events\":0",
    "\u{0}",
    "é",
];

/// Any one of them.
pub(super) fn edit() -> impl Strategy<Value = Edit> {
    let token = prop_oneof![
        select(&TOKENS[..]).prop_map(|token| token.as_bytes().to_vec()),
        vec(any::<u8>(), 1..9),
    ];
    prop_oneof![
        any::<(Index, Index)>().prop_map(|(from, to)| Edit::Cut(from, to)),
        (any::<Index>(), token).prop_map(|(at, token)| Edit::Insert(at, token)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Overwrite(at, byte)),
        any::<(Index, Index)>().prop_map(|(from, to)| Edit::Repeat(from, to)),
    ]
}

/// The data, with these changes one after the other.
pub(super) fn edited(mut data: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let place = |index: &Index| index.index(data.len() + 1);
        let range = |a: &Index, b: &Index| {
            // Short ones: what is left is worth more.
            let (from, to) = (place(a).min(place(b)), place(a).max(place(b)));
            from..to.min(from + 64)
        };
        match edit {
            Edit::Cut(a, b) => drop(data.drain(range(a, b))),
            Edit::Insert(at, token) => {
                let at = place(at);
                data.splice(at..at, token.iter().copied());
            }
            Edit::Overwrite(at, byte) => {
                let at = place(at);
                if let Some(found) = data.get_mut(at) {
                    *found = *byte;
                }
            }
            Edit::Repeat(a, b) => {
                let range = range(a, b);
                let again = data[range.clone()].to_vec();
                data.splice(range.end..range.end, again);
            }
        }
    }
    data
}
