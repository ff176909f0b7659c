//! Edits are carried out.

use super::edit::Edit;
use super::json_line::{Problem, member, set, unset};
use super::log_text::LogText;
use super::rechain::{erase, rechain, renumber};
use crate::limits::EXPORT_LINE_BYTES_MAX;

/// Carries out one edit. `component` finds the line of a component of the kit.
pub(super) fn apply(
    log: &mut LogText,
    edit: &Edit,
    component: impl Fn(&str) -> Option<String>,
) -> Result<(), Problem> {
    match edit {
        Edit::Set { line, field, to } => log.put(*line, set(log.text(*line)?, field, to.get())?),
        Edit::Unset { line, field } => log.put(*line, unset(log.text(*line)?, field)?),
        Edit::Text { line, from, to } => replace(log, *line, from, to.as_bytes()),
        Edit::Bytes { line, from, to } => replace(log, *line, from, &bytes_of(to)?),
        Edit::Nest { line, field, depth } => {
            let depth = bounded(*depth)?;
            let lists = "[".repeat(depth) + &"]".repeat(depth);
            log.put(*line, set(log.text(*line)?, field, &lists)?)
        }
        Edit::Lengthen { line, field, bytes } => {
            let text = format!("\"{}\"", "x".repeat(bounded(*bytes)?));
            log.put(*line, set(log.text(*line)?, field, &text)?)
        }
        Edit::Copy { line, before } => {
            let copy = log.line(*line)?.to_vec();
            log.insert(*before, copy)
        }
        Edit::Move { line, before } => {
            let moved = log.remove(*line)?;
            log.insert(*before, moved)
        }
        Edit::Remove { line } => log.remove(*line).map(drop),
        Edit::Insert { before, text } => log.insert(*before, text.as_bytes()),
        Edit::Cut { line, bytes } => log.cut(*line, *bytes),
        Edit::Erase { line } => erase(log, *line),
        Edit::Renumber {} => renumber(log),
        Edit::Rechain {} => rechain(log),
        Edit::Embed { component: digest } => {
            let found = component(digest);
            let line = found.ok_or_else(|| format!("the kit has no component {digest}"))?;
            embed(log, digest, &line)
        }
    }
}

fn replace(log: &mut LogText, line: usize, from: &str, to: &[u8]) -> Result<(), Problem> {
    let text = log.text(line)?;
    let Some((before, after)) = text.split_once(from) else {
        return Err(format!("line {line} does not hold {from:?}"));
    };
    let edited = [before.as_bytes(), to, after.as_bytes()].concat();
    log.put(line, edited)
}

/// No line of a log is longer, so that a kit cannot ask for all the memory there is.
fn bounded(count: usize) -> Result<usize, Problem> {
    if count > EXPORT_LINE_BYTES_MAX {
        return Err(format!(
            "{count} is too much: a line has at most {EXPORT_LINE_BYTES_MAX} bytes"
        ));
    }
    Ok(count)
}

fn bytes_of(digits: &str) -> Result<Vec<u8>, Problem> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
    bytes.ok_or_else(|| format!("{digits:?} is not in hexadecimal digits"))
}

/// The component follows on those that the header names already.
fn embed(log: &mut LogText, digest: &str, line: &str) -> Result<(), Problem> {
    let header = log.text(1)?;
    let named: Vec<String> = match member(header, "components")? {
        Some(list) => serde_json::from_str(list)
            .map_err(|error| format!("the header's components are no list: {error}"))?,
        None => Vec::new(),
    };
    let before = named.len() + 2;
    let all = [named, vec![digest.to_owned()]].concat();
    let header = set(
        header,
        "/components",
        &serde_json::Value::from(all).to_string(),
    )?;
    log.put(1, header)?;
    log.insert(before, line)
}
