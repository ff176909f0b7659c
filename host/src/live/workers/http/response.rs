//! What an answer means: its status, its headers, its body.

use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use crate::error::WorkError;
use crate::limits::{HTTP_ERROR_BYTES_MAX, HTTP_KEPT_HEADERS_BYTES_MAX, PAYLOAD_BYTES_MAX};
use crate::live::values::work::Answer;
use crate::live::workers::meaning;
use crate::secrets::Masks;

use super::client::{Answered, Body};
use super::failure::Failure;
use super::request_secrets::Secrets;

/// Where a redirect leads; `None` for other answers.
pub(super) fn location(answered: &Answered) -> Option<Result<String, String>> {
    if !matches!(answered.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut locations = answered.headers.get_all(LOCATION).iter();
    Some(match (locations.next(), locations.next()) {
        (Some(location), None) => Ok(String::from_utf8_lossy(location.as_bytes()).into_owned()),
        (Some(_), Some(_)) => Err("leads to several places at once".to_owned()),
        (None, _) => Err("does not say where to".to_owned()),
    })
}

/// The failure that a status means, whatever its body is.
pub(super) async fn refused(answered: Answered, masks: &Masks, ends: Instant) -> WorkError {
    let status = answered.status;
    let wait = wait(&answered.headers);
    let asked_for = seconds(&answered.headers);
    let body = beginning(answered.body, masks, ends).await;
    let said = match body.trim().is_empty() {
        true => format!("answered {status}{wait}"),
        false => format!("answered {status}{wait}: {body}"),
    };
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY => {
            WorkError::retryable(said).class("rate_limit")
        }
        StatusCode::REQUEST_TIMEOUT => WorkError::retryable(said).class("timeout"),
        _ if status.is_server_error() => WorkError::retryable(said).class("server_error"),
        _ => WorkError::permanent(said).class("client_error"),
    };
    match asked_for {
        Some(delay) => error.retry_after(delay),
        None => error,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    (value.len() <= 40).then_some(value)
}

/// How long the server asks to be left alone, where it says so as a number of
/// seconds. A date is one of its clock, which nobody here knows.
fn seconds(headers: &HeaderMap) -> Option<Duration> {
    let seconds = retry_after(headers)?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How long the server asks to be left alone, in its own words: a number of
/// seconds, or a date.
fn wait(headers: &HeaderMap) -> String {
    match retry_after(headers) {
        Some(seconds) if seconds.bytes().all(|it| it.is_ascii_digit()) => {
            format!(", to be asked again after {seconds} s")
        }
        Some(date) => format!(", to be asked again after {date}"),
        None => String::new(),
    }
}

/// The beginning of a refusal's body; what cannot be read of it changes nothing.
async fn beginning(mut body: Body, masks: &Masks, ends: Instant) -> String {
    let mut bytes = Vec::new();
    let read = read(&mut body, &mut bytes, HTTP_ERROR_BYTES_MAX, ends).await;
    bytes.truncate(HTTP_ERROR_BYTES_MAX);
    if !matches!(read, Ok(true)) {
        // The rest of a secret at the end is not here, and would not be found.
        bytes = masks.hide_beginning(&bytes);
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.truncate(text.floor_char_boundary(HTTP_ERROR_BYTES_MAX));
    match read {
        Ok(true) => body.give_back(),
        Ok(false) => {}
        Err(failure) => text.push_str(&format!(" (and broke off: {failure})")),
    }
    text
}

/// What a success means.
pub(super) async fn success(
    answered: Answered,
    has_no_body: bool,
    secrets: &Secrets,
    ends: Instant,
) -> Result<Answer, WorkError> {
    let Answered {
        status,
        headers,
        mut body,
    } = answered;
    let bytes = whole(&mut body, ends).await?;
    body.give_back();
    let encoding = headers.get(CONTENT_ENCODING);
    let encoding = encoding.filter(|it| !bytes.is_empty() && !it.is_empty() && *it != "identity");
    if let Some(encoding) = encoding {
        return Err(WorkError::permanent(format!(
            "answered with a body in the encoding {encoding:?}, which is not read here; leave the header `accept-encoding` out"
        )));
    }
    let meaning = if is_json(&headers) && !has_no_body {
        meaning::of_json(bytes)
    } else {
        meaning::of(bytes)
    };
    meaning
        .map(|answer| answer.telemetry(telemetry(status, &headers, secrets)))
        .map_err(|problem| WorkError::permanent(format!("answered with {problem}")))
}

async fn whole(body: &mut Body, ends: Instant) -> Result<Vec<u8>, WorkError> {
    let mut bytes = Vec::new();
    read(body, &mut bytes, PAYLOAD_BYTES_MAX + 1, ends)
        .await
        .map_err(|failure| failure.while_doing("answered, and the answer broke off"))?;
    if bytes.len() > PAYLOAD_BYTES_MAX {
        return Err(WorkError::permanent(format!(
            "answered with more than {PAYLOAD_BYTES_MAX} bytes; ask for less"
        )));
    }
    Ok(bytes)
}

async fn read(
    body: &mut Body,
    bytes: &mut Vec<u8>,
    bytes_enough: usize,
    ends: Instant,
) -> Result<bool, Failure> {
    let read = timeout_at(ends, body.read(bytes, bytes_enough));
    read.await.unwrap_or(Err(Failure::Timeout(
        "the answer did not come to its end in time",
    )))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

/// The status and the headers, for the log: `{"http": {"status": …, "headers": {…}}}`.
/// Several values of a header are one, with commas between them. Left out are headers
/// that are about the connection, and what is beyond a bound; secrets are masked.
fn telemetry(status: StatusCode, headers: &HeaderMap, secrets: &Secrets) -> Value {
    let mut kept = Map::new();
    let mut room = HTTP_KEPT_HEADERS_BYTES_MAX;
    for name in headers.keys() {
        if [CONNECTION, TRANSFER_ENCODING, UPGRADE].contains(name) || name == "keep-alive" {
            continue;
        }
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let value = secrets.hide_header(name.as_str(), &values.join(", "));
        let bytes = name.as_str().len() + value.len();
        if bytes <= room {
            room -= bytes;
            kept.insert(name.to_string(), value.into());
        }
    }
    json!({ "http": { "status": status.as_u16(), "headers": kept } })
}
