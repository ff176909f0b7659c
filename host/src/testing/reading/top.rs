//! The outermost of a file: its notation, its workflow, its cases.

use std::path::{Path, PathBuf};

use crate::resembling::meant;
use crate::testing::text::place::{Faults, FileError, Place};
use crate::testing::text::source::{Notation, must_be_json};
use crate::testing::text::tree::parse;
use crate::testing::text::value::{Member, Node, Value};

/// The keys of a test file.
const KEYS: [&str; 3] = ["workflow", "workflows", "cases"];

/// The tree of a file's text, and its faults, of which there are none yet.
pub(in crate::testing) fn tree<'a>(
    file: &'a Path,
    text: &'a str,
    notation: Notation,
) -> Result<(Node, Faults<'a>), FileError> {
    let mut faults = Faults::new(file, text);
    if notation == Notation::Json {
        must_be_json(text, &mut faults);
    }
    let root = match faults.are_none() {
        true => parse(text, &mut faults),
        false => None,
    };
    match root {
        Some(root) => Ok((root, faults)),
        None => faults.or(None),
    }
}

/// What stands at the top of a test file.
#[derive(Default)]
pub(in crate::testing) struct Top<'a> {
    /// Its place, and its path.
    pub(in crate::testing) workflow: Option<(Place, &'a str)>,
    /// Those of its children: the place and the path of each.
    pub(in crate::testing) workflows: Vec<(Place, &'a str)>,
    pub(in crate::testing) cases: Option<&'a Node>,
}

pub(in crate::testing) fn top<'a>(root: &'a Node, faults: &mut Faults<'_>) -> Top<'a> {
    let Value::Map(members) = &root.value else {
        let message = format!("a test file is a mapping, and this is {}", root.kind());
        faults.report(root.at, message, "begin with `workflow:` and `cases:`");
        return Top::default();
    };
    for Member { at, key, .. } in members {
        if !KEYS.contains(&key.as_str()) && !faults.are_full() {
            let message = format!("a test file has no key `{key}`");
            faults.report(*at, message, meant(key, "keys", KEYS));
        }
    }
    let get = |key| members.iter().find(|member| member.key == key);
    let [workflow, workflows, cases] = KEYS
        .map(get)
        .map(|member| member.map(|member| &member.node));
    let workflow = match workflow {
        None => {
            let remedy = "add `workflow: FILE`, a path from the folder of this file";
            faults.report(Place::START, "the workflow is not named", remedy);
            None
        }
        Some(node) => path(node, "`workflow`", faults),
    };
    let workflows = match workflows.map(|node| (node, &node.value)) {
        None => Vec::new(),
        Some((_, Value::List(nodes))) => {
            let paths = nodes.iter();
            paths
                .filter_map(|node| path(node, "one of `workflows`", faults))
                .collect()
        }
        Some((node, _)) => {
            let message = format!(
                "`workflows` is a list of paths, and this is {}",
                node.kind()
            );
            faults.report(
                node.at,
                message,
                "write `[FILE, …]`: the workflows of children",
            );
            Vec::new()
        }
    };
    if cases.is_none() {
        let remedy = "add `cases:`, and below it a case under its name";
        faults.report(Place::START, "there are no cases", remedy);
    }
    Top {
        workflow,
        workflows,
        cases,
    }
}

/// The path of a file, and its place.
fn path<'a>(node: &'a Node, what: &str, faults: &mut Faults<'_>) -> Option<(Place, &'a str)> {
    if let Value::Text(path) = &node.value {
        return Some((node.at, path));
    }
    let message = format!("{what} is the path of a file, and this is {}", node.kind());
    faults.report(
        node.at,
        message,
        "write its path from the folder of this file",
    );
    None
}

/// A path that is written in a file, from the file's folder.
pub(in crate::testing) fn from_folder_of(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

/// The place of what a JSON pointer names, or of the last part of its way that is there.
pub(in crate::testing) fn located(root: &Node, pointer: &str) -> Place {
    let mut at = root.at;
    let mut node = root;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &node.value {
            Value::Map(members) => members
                .iter()
                .find(|member| member.key == part)
                .map(|member| (member.at, &member.node)),
            Value::List(nodes) => {
                let index: Option<usize> = part.parse().ok();
                index
                    .and_then(|index| nodes.get(index))
                    .map(|node| (node.at, node))
            }
            _ => None,
        };
        let Some((place, next)) = next else {
            break;
        };
        (at, node) = (place, next);
    }
    at
}
