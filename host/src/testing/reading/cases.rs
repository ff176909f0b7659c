//! The cases of a test file.

use std::cell::RefCell;

use super::fields::Reading;
use super::values::{flag, json, span, text};
use super::{acts, answers, expectations};
use crate::testing::case::Case;
use crate::testing::graph::Workflows;
use crate::testing::text::place::Faults;
use crate::testing::text::value::{Member, Node};
use crate::time::parse_rfc3339;

/// The keys of a case.
const KEYS: [&str; 7] = [
    "input", "clock", "until", "strict", "nodes", "acts", "expect",
];

/// The cases, in the order of the text.
pub(in crate::testing) fn read(
    cases: &Node,
    workflows: &Workflows,
    faults: &RefCell<Faults<'_>>,
) -> Vec<Case> {
    let reading = Reading::new(workflows, faults);
    let members = reading.mapping(cases, "`cases`");
    if members.is_some_and(<[Member]>::is_empty) {
        let remedy = "write a case: its name, and below it what is expected";
        reading.report(cases.at, "there are no cases", remedy);
    }
    let members = members.unwrap_or_default().iter();
    members
        .filter_map(|member| case(&reading, member))
        .collect()
}

fn case(reading: &Reading<'_, '_>, Member { at, key, node }: &Member) -> Option<Case> {
    let fields = reading.members(node, "a case", &KEYS)?;
    let mut case = Case::new(key.clone());
    if key.trim().is_empty() {
        reading.report(
            *at,
            "a case has no name",
            "say in a few words what it is about",
        );
    }
    if let Some(input) = fields.get("input") {
        case.input = json(reading, input, "`input`")?;
    }
    if let Some(clock) = fields.get("clock") {
        let written = text(reading, clock, "`clock`")?;
        match parse_rfc3339(&written) {
            Some(at) => case.begins_at = at,
            None => {
                let remedy = "write it in UTC with milliseconds: `2026-01-01T00:00:00.000Z`";
                reading.report(clock.at, "`clock` is a time, and this is none", remedy);
            }
        }
    }
    if let Some(until) = fields.get("until") {
        case.until = span(reading, until, "`until`")?;
    }
    if let Some(strict) = fields.get("strict") {
        case.strict = flag(reading, strict, "`strict`")?;
    }
    if let Some(nodes) = fields.get("nodes") {
        case.answers = answers::read(reading, nodes).into_iter().collect();
    }
    if let Some(node) = fields.get("acts") {
        case.acts = acts::read(reading, node, case.until);
    }
    match fields.get("expect") {
        Some(node) => case.expectations = expectations::read(reading, node),
        None => {
            let remedy = "add `expect`, such as `expect: {status: completed}`";
            reading.report(*at, "the case expects nothing", remedy);
        }
    }
    Some(case)
}
