//! The built-in worker of the queue `http`: makes a request.
//!
//! A JSON object in the response is the output and the patch, other JSON or
//! text goes under the node's id. What a further attempt may cure (a broken
//! connection, 429, 5xx) is retryable; another 4xx is not.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use serde_json::value::RawValue;
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, Body};

use crate::contract::WorkItem;
use crate::error::WorkError;
use crate::json::{Json, check};
use crate::limits::{HTTP_ERROR_BYTES_MAX, HTTP_TIMEOUT, PAYLOAD_BYTES_MAX};

use super::super::work::Answer;

/// The node's `kind`, as far as this worker reads it.
#[derive(Deserialize)]
struct Kind {
    url: String,
    /// GET unless said.
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What is sent; the node's input unless said, and nothing with GET and HEAD.
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

/// Make the request that the item's node names.
pub(crate) async fn run(item: WorkItem) -> Result<Answer, WorkError> {
    // Dropped halfway, the request goes on in its thread until its timeout;
    // nobody listens to its answer then.
    match tokio::task::spawn_blocking(move || exchange(&item)).await {
        Ok(answer) => answer,
        Err(error) => Err(WorkError::retryable(format!(
            "the request was cut off: {error}"
        ))),
    }
}

fn exchange(item: &WorkItem) -> Result<Answer, WorkError> {
    let (kind, input) = read(item)
        .map_err(|error| WorkError::permanent(format!("the payload is no request: {error}")))?;
    let request = request(&kind, &input)?;
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(HTTP_TIMEOUT))
        .http_status_as_error(false)
        .build()
        .into();
    let response = agent
        .run(request)
        .map_err(|error| broken(&kind.url, &error))?;
    let status = response.status();
    let text = body(&kind.url, response)?;
    if status.is_success() {
        answer(&kind.url, &text)
    } else {
        Err(refused(&kind.url, status, &text))
    }
}

fn read(item: &WorkItem) -> Result<(Kind, Json), serde_json::Error> {
    Ok((item.kind()?.parse()?, item.input()?))
}

fn request(kind: &Kind, input: &Json) -> Result<Request<String>, WorkError> {
    let method = kind.method.as_deref().unwrap_or("GET").to_uppercase();
    let body = match &kind.body {
        Some(body) => body.get().to_owned(),
        None if method == "GET" || method == "HEAD" => String::new(),
        None => input.to_string(),
    };
    let mut request = Request::builder().method(method.as_str()).uri(&kind.url);
    if !body.is_empty()
        && !kind
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"))
    {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in &kind.headers {
        request = request.header(name, value);
    }
    request.body(body).map_err(|error| {
        WorkError::permanent(format!("{method} {} is no request: {error}", kind.url))
    })
}

fn body(url: &str, response: Response<Body>) -> Result<String, WorkError> {
    let mut bytes = Vec::new();
    let mut reader = response
        .into_body()
        .into_reader()
        .take(PAYLOAD_BYTES_MAX as u64 + 1);
    reader.read_to_end(&mut bytes).map_err(|error| {
        WorkError::retryable(format!("the answer of {url} broke off: {error}")).class("io_error")
    })?;
    if bytes.len() > PAYLOAD_BYTES_MAX {
        let problem =
            format!("{url} answered with more than {PAYLOAD_BYTES_MAX} bytes; ask for less");
        return Err(WorkError::permanent(problem));
    }
    String::from_utf8(bytes).map_err(|error| {
        WorkError::permanent(format!("{url} answered with what is no UTF-8: {error}"))
    })
}

fn broken(url: &str, error: &ureq::Error) -> WorkError {
    let said = format!("{url} could not be asked: {error}");
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => WorkError::permanent(said),
        ureq::Error::Timeout(_) => WorkError::retryable(said).class("timeout"),
        _ => WorkError::retryable(said).class("io_error"),
    }
}

fn refused(url: &str, status: StatusCode, text: &str) -> WorkError {
    let end = text.floor_char_boundary(HTTP_ERROR_BYTES_MAX);
    let said = format!("{url} answered {status}: {}", &text[..end]);
    match status {
        StatusCode::TOO_MANY_REQUESTS => WorkError::retryable(said).class("rate_limit"),
        _ if status.is_server_error() => WorkError::retryable(said).class("server_error"),
        _ => WorkError::permanent(said).class("client_error"),
    }
}

/// What the body means.
fn answer(url: &str, text: &str) -> Result<Answer, WorkError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Answer::output(Json::null()).patch(serde_json::json!({})));
    }
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return Ok(Answer::output(serde_json::Value::from(text)));
    }
    check(text, PAYLOAD_BYTES_MAX).map_err(|error| {
        WorkError::permanent(format!(
            "{url} answered with JSON that is not accepted: {error}"
        ))
    })?;
    Ok(Answer::output(Json::trusted(text.to_owned())))
}
