//! Logs that bring the scheduler that they name, and what is done to it there.

use refrain::conformance::{Edit, Kit};
use refrain::log::export::Component;
use serde_json::json;

use super::super::bases::UNUSABLE;
use super::super::draft::{Drafts, set, text, unset};
use super::super::source::Source;

/// Logs that are short, and name a scheduler of some kilobytes.
const LOGS: [&str; 4] = [
    "upgraded_to_idle",
    "upgraded_from_idle",
    "order_as_the_workflow_has_it",
    "order_for_another_queue",
];

pub(super) fn all(drafts: &mut Drafts, sources: &[Source], kit: &Kit) {
    usable(drafts, sources, &kit.components);
    for source in sources.iter().filter(|it| it.name == "guest_changed") {
        for (what, component) in UNUSABLE.iter().zip(&kit.unusable) {
            unusable(drafts, source, what, &component.digest);
        }
    }
}

/// Logs that name what is no scheduler: from event 1 on, or from a change on. There is no
/// verdict then; what a log brings and does not name, nobody asks.
fn unusable(drafts: &mut Drafts, source: &Source, what: &str, digest: &str) {
    let embed = Edit::Embed {
        component: digest.to_owned(),
    };
    let mut add = |place: &str, edits: Vec<Edit>| {
        drafts.add("brought", source, &format!("{what}{place}"), edits);
    };
    let named = vec![
        set(1, "guest_digest", digest),
        set(2, "guest_digest", digest),
        Edit::Rechain {},
    ];
    add("_unnamed", vec![embed.clone()]);
    add("_missing", named.clone());
    add("", [named, vec![embed.clone()]].concat());
    if let Some(line) = source.line_of("guest_changed") {
        let changed = vec![set(line, "guest_digest", digest), Edit::Rechain {}];
        add("_later_missing", changed.clone());
        add("_later", [changed, vec![embed]].concat());
    }
}

fn usable(drafts: &mut Drafts, sources: &[Source], components: &[Component]) {
    for source in sources.iter().filter(|it| LOGS.contains(&&*it.name)) {
        let log = source.lines.concat();
        let named = components.iter().filter(|it| log.contains(&it.digest));
        let Some(component) = named.map(|it| &it.digest).next() else {
            continue;
        };
        let embed = Edit::Embed {
            component: component.clone(),
        };
        let other = components.iter().find(|it| it.digest != *component);
        let Some(other) = other.map(|it| &it.digest) else {
            continue;
        };
        let other = Edit::Embed {
            component: other.clone(),
        };
        let plain = vec![embed.clone()];
        drafts.add("brought", source, "whole", plain);
        drafts.add(
            "brought",
            source,
            "and_another",
            vec![embed.clone(), other.clone()],
        );
        drafts.add(
            "brought",
            source,
            "twice",
            vec![embed.clone(), embed.clone()],
        );
        drafts.add("brought", source, "only_another", vec![other]);
        for (what, edits) in edited(component) {
            drafts.add(
                "brought",
                source,
                what,
                [vec![embed.clone()], edits].concat(),
            );
        }
    }
}

/// What is done to the component's line, which is the second, and to the header.
fn edited(digest: &str) -> Vec<(&'static str, Vec<Edit>)> {
    let zeros = "0".repeat(64);
    vec![
        ("unnamed", vec![unset(1, "components")]),
        ("missing", vec![Edit::Remove { line: 2 }]),
        ("line_twice", vec![Edit::Copy { line: 2, before: 3 }]),
        ("behind_event_1", vec![Edit::Move { line: 2, before: 3 }]),
        ("named_otherwise", vec![set(2, "component", zeros.clone())]),
        (
            "header_names_another",
            vec![set(1, "components", json!([zeros.clone()]))],
        ),
        (
            "both_name_another",
            vec![
                set(1, "components", json!([zeros.clone()])),
                set(2, "component", zeros),
            ],
        ),
        (
            "named_in_capitals",
            vec![set(1, "components", json!([digest.to_uppercase()]))],
        ),
        ("one_byte_less", vec![set(2, "bytes", 7)]),
        (
            "far_too_many_bytes",
            vec![set(2, "bytes", u64::from(u32::MAX))],
        ),
        ("no_base64", vec![text(2, "\"zlib\":\"e", "\"zlib\":\"*")]),
        ("no_zlib", vec![set(2, "zlib", "AAAA")]),
        ("no_bytes_at_all", vec![set(2, "zlib", "")]),
        ("with_more", vec![set(2, "note", 1)]),
        ("without_its_bytes", vec![unset(2, "zlib")]),
        (
            "cut",
            vec![Edit::Cut {
                line: 2,
                bytes: 100,
            }],
        ),
        (
            "changed",
            vec![Edit::Bytes {
                line: 2,
                from: "AA".to_owned(),
                to: "4142".to_owned(),
            }],
        ),
    ]
}
