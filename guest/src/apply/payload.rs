//! What the user sends, checked where it comes in (rule R10).

use alloc::format;

use super::refusal::{Refusal, refuse};
use crate::contract::{RefusalCode as Code, Telemetry};
use crate::json::{self, Object};
use crate::limits::{ID_BYTES_MAX, PAYLOAD_BYTES_MAX};

/// Check that `text` is one JSON value inside the limits.
pub(super) fn value(what: &str, text: &str) -> Result<(), Refusal> {
    size(what, text)?;
    json::check(text)
        .or_else(|malformed| refuse(Code::Malformed, format!("{what} is not JSON: {malformed}")))
}

/// Read a JSON object inside the limits.
pub(super) fn object(what: &str, text: &str) -> Result<Object, Refusal> {
    size(what, text)?;
    composed(what, text)
}

/// Read a JSON object of any size: one that the guest composed of payloads.
pub(super) fn composed(what: &str, text: &str) -> Result<Object, Refusal> {
    Object::parse(text).or_else(|malformed| {
        refuse(
            Code::Malformed,
            format!("{what} is not a JSON object: {malformed}"),
        )
    })
}

/// Check that `text` is one JSON value inside the limits that can also stand
/// as a value in an object inside the limits.
pub(super) fn member(what: &str, text: &str) -> Result<(), Refusal> {
    value(what, text)?;
    json::check(&format!("[{text}]")).or_else(|_| {
        refuse(
            Code::Malformed,
            format!("{what} is nested too deeply to be put into the state"),
        )
    })
}

/// Check the JSON in what a worker measured.
pub(super) fn telemetry(measured: &Telemetry) -> Result<(), Refusal> {
    if let Some(cost) = &measured.cost_usd {
        value("the cost", cost)?;
        if !cost
            .trim_start()
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
        {
            return refuse(Code::Malformed, "the cost is not a JSON number");
        }
    }
    if let Some(provenance) = &measured.provenance {
        object("the provenance", provenance)?;
    }
    Ok(())
}

/// Check a correlation key.
pub(super) fn key(text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return refuse(
            Code::Malformed,
            format!(
                "the correlation key has {} bytes; it must have 1 to {ID_BYTES_MAX}",
                text.len()
            ),
        );
    }
    Ok(())
}

fn size(what: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > PAYLOAD_BYTES_MAX {
        return refuse(
            Code::TooLarge,
            format!(
                "{what} has {} bytes; {PAYLOAD_BYTES_MAX} are allowed: store it elsewhere and pass a reference",
                text.len()
            ),
        );
    }
    Ok(())
}
