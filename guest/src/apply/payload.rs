//! What the user sends, checked where it comes in (rule R10).

use alloc::format;

use super::refusal::{Refusal, refuse};
use crate::contract::RefusalCode as Code;
use crate::json::{self, Object};
use crate::limits::{ERROR_CLASS_BYTES_MAX, ID_BYTES_MAX, PAYLOAD_BYTES_MAX, is_error_class};

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

/// Check what a worker measured besides the call of a model.
pub(super) fn telemetry(measured: &str) -> Result<(), Refusal> {
    let measured = object("the telemetry", measured)?;
    match measured.value("cost_usd") {
        Some(cost) if !cost.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => refuse(
            Code::Malformed,
            "the cost (`cost_usd` of the telemetry) is not a JSON number",
        ),
        _ => Ok(()),
    }
}

/// Check the class of an error.
pub(super) fn error_class(class: &str) -> Result<(), Refusal> {
    if is_error_class(class) {
        return Ok(());
    }
    refuse(
        Code::Malformed,
        format!(
            "the class of an error has 1 to {ERROR_CLASS_BYTES_MAX} of a to z, 0 to 9, `_`, `.` and `-`"
        ),
    )
}

/// Check a correlation key, or the id of an external event.
pub(super) fn key(what: &str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return refuse(
            Code::Malformed,
            format!(
                "{what} has {} bytes; it must have 1 to {ID_BYTES_MAX}",
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
