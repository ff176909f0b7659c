//! What a forger computes anew: sequences, hashes, the head; and what an erasure leaves.

use std::collections::HashMap;

use super::json_line::{Problem, member, set};
use super::log_text::LogText;
use crate::log::digest::hex;
use crate::log::{ErasedEvent, Head, KeptEvent, canonical, chain, json};

/// The lines of the events: all that are neither the header nor a component.
fn events(log: &LogText) -> Result<Vec<usize>, Problem> {
    let mut lines = Vec::new();
    for line in 2..=log.len() {
        if member(log.text(line)?, "component")?.is_none() {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Makes the chain whole again.
pub(super) fn rechain(log: &mut LogText) -> Result<(), Problem> {
    let mut head = Head::default();
    for line in events(log)? {
        let text = log.text(line)?;
        let kept = read(text, line)?;
        let hash = chain::link_of_kept(&head.hash, &kept);
        head = Head {
            sequence: kept.event().sequence,
            hash,
        };
        let chained = set(text, "/hash", &quoted(&hex(&hash)))?;
        log.put(line, chained)?;
    }
    let header = set(log.text(1)?, "/events", &head.sequence.to_string())?;
    log.put(1, set(&header, "/head", &quoted(&hex(&head.hash)))?)
}

/// Numbers the events, and lets fences name the events that they named.
pub(super) fn renumber(log: &mut LogText) -> Result<(), Problem> {
    let mut renamed = HashMap::new();
    for (sequence, line) in (1_u64..).zip(events(log)?) {
        let mut text = log.text(line)?.to_owned();
        // Of an event that was doubled, the first is the one that fences name.
        if let Some(before) = member(&text, "sequence")? {
            renamed.entry(before.to_owned()).or_insert(sequence);
        }
        let fence = member(&text, "fence")?.and_then(|fence| renamed.get(fence));
        if let Some(fence) = fence {
            text = set(&text, "/fence", &fence.to_string())?;
        }
        log.put(line, set(&text, "/sequence", &sequence.to_string())?)?;
    }
    Ok(())
}

/// Erases the event of one line, or all of them.
pub(super) fn erase(log: &mut LogText, only: Option<usize>) -> Result<(), Problem> {
    let lines = match only {
        Some(line) => vec![line],
        None => events(log)?,
    };
    for line in lines {
        let KeptEvent::Whole(stored) = read(log.text(line)?, line)? else {
            return Err(format!("line {line} is erased already"));
        };
        let bytes = canonical::write(&stored.event);
        let event = canonical::read_erased(&bytes.plain).map_err(|error| error.to_string())?;
        let erased = ErasedEvent {
            event,
            commitment: chain::commitment(&stored.salt, &bytes.erasable),
            hash: stored.hash,
        };
        log.put(line, json::write_erased(&erased))?;
    }
    Ok(())
}

fn read(text: &str, line: usize) -> Result<KeptEvent, Problem> {
    json::read_kept(text).map_err(|error| format!("line {line} is no event: {error}"))
}

fn quoted(hex: &str) -> String {
    format!("\"{hex}\"")
}
