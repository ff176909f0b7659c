//! Guest and host each check what users send, with code of their own, because
//! neither uses the other. They must take the same texts: what the host takes
//! and the guest does not would stall an execution, and what the guest takes and
//! the host does not could be written into a log and never be read back.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;
use refrain::json::Json;

use super::{fail, holds};

/// What texts are made of: all of JSON's tokens, and what is nearly one.
const PIECES: [&str; 56] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\t",
    "\n",
    "\r",
    "null",
    "true",
    "false",
    "nul",
    "True",
    "NaN",
    "0",
    "1",
    "-1",
    "-0",
    "01",
    "1.",
    ".5",
    "1.50",
    "1e5",
    "1E+5",
    "1e",
    "-",
    "+1",
    "1e999",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"\\u0061\"",
    "\"\\n\"",
    "\"\\/\"",
    "\"\\x\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ud83d\\u0061\"",
    "\"\\u00e9\"",
    "\"é\"",
    "\"\u{0}\"",
    "\"\u{7f}\"",
    "\"\t\"",
    "\u{feff}",
    "\u{a0}",
    "\u{b}",
    "\"",
    "\\",
    "'a'",
    "//",
    "/**/",
    "\"a\":1",
];

fn agree(text: &str) -> TestCaseResult {
    let (host, guest) = (Json::from_text(text), refrain_guest::json::check(text));
    match host.is_ok() == guest.is_ok() {
        true => Ok(()),
        false => Err(fail(format!(
            "{text:?}: the host {host:?}, the guest {guest:?}"
        ))),
    }
}

#[test]
fn guest_and_host_know_the_same_limits() {
    use refrain::limits as host;
    use refrain_guest::limits as guest;
    assert_eq!(host::PAYLOAD_BYTES_MAX, guest::PAYLOAD_BYTES_MAX);
    assert_eq!(host::WORKFLOW_BYTES_MAX, guest::WORKFLOW_BYTES_MAX);
    assert_eq!(host::JSON_DEPTH_MAX, guest::JSON_DEPTH_MAX);
    // A host bounds a guest's wakes and simulated workers by a workflow's
    // longest span.
    assert_eq!(host::SIMULATED_DELAY_MS_MAX, guest::SPAN_MAX.0);
    const { assert!(host::WAKE_SPAN_MS_MAX > guest::SPAN_MAX.0) };
    const { assert!(host::DECISIONS_PER_STEP_MAX > guest::BATCH_DECISIONS_MAX) };
}

#[test]
fn guest_and_host_take_the_same_json() {
    for piece in PIECES {
        agree(piece).unwrap_or_else(|failure| panic!("{failure}"));
    }
    let pieces = vec(select(&PIECES[..]), 0..12).prop_map(|pieces| pieces.concat());
    holds(4000, pieces, |text| agree(&text));
}

/// Random pieces seldom make a large document, so one is made and then damaged.
#[test]
fn guest_and_host_take_the_same_json_when_it_is_damaged() {
    let leaf = select(&PIECES[10..]).prop_map(str::to_owned);
    let document = leaf.prop_recursive(6, 40, 4, |inner| {
        let key = select(&["\"a\"", "\"b\"", "\"\\u0061\"", "\"c\""][..]);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            vec((key, inner), 0..4).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(key, value)| format!("{key}:{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    let damaged = (
        document,
        any::<Option<(Index, Index)>>(),
        select(&PIECES[..]),
    );
    holds(4000, damaged, |(text, damage, piece)| {
        agree(&text)?;
        let Some((from, to)) = damage else {
            return Ok(());
        };
        let places: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let (from, to) = (*from.get(&places), *to.get(&places));
        let (from, to) = (from.min(to), from.max(to));
        agree(&format!("{}{piece}{}", &text[..from], &text[to..]))
    });
}

#[test]
fn guest_and_host_take_json_that_is_just_deep_enough() {
    let depth = refrain_guest::limits::JSON_DEPTH_MAX;
    let lists = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth| format!("{}null{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for (text, is_taken) in [
        (lists(depth), true),
        (lists(depth + 1), false),
        (objects(depth), true),
        (objects(depth + 1), false),
    ] {
        assert_eq!(Json::from_text(text.as_str()).is_ok(), is_taken);
        assert_eq!(refrain_guest::json::check(&text).is_ok(), is_taken);
    }
}
