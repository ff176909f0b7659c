//! The built-in worker of the queue `http`: makes a request.
//!
//! A JSON object in the response is the output and the patch, other JSON or
//! text goes under the node's id. What a further attempt may cure (a broken
//! connection, 408, 425, 429, 5xx) is retryable; another 4xx is not, nor a
//! redirect that is not followed. No error holds a secret of the request.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use ureq::http::{HeaderMap, Method, Response, StatusCode};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use crate::error::WorkError;
use crate::json::Json;
use crate::limits::{HTTP_ERROR_BYTES_MAX, HTTP_REDIRECTS_MAX, HTTP_TIMEOUT, PAYLOAD_BYTES_MAX};
use crate::model::WorkItem;

use super::addresses::{LeadsInward, NeverInward};
use super::meaning;
use super::redirect::{Call, Follow};
use super::secrets::Secrets;
use crate::live::values::work::Answer;

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
    #[serde(default)]
    follow_redirects: Option<Follow>,
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
    let secrets = Secrets::of(&kind.url, &kind.headers);
    let answer = Exchange::new(&kind).go(call(&kind, &input));
    answer.map_err(|error| WorkError {
        message: secrets.hide(&format!("{} {}", kind.url, error.message)),
        ..error
    })
}

fn read(item: &WorkItem) -> Result<(Kind, Json), serde_json::Error> {
    Ok((item.kind()?.parse()?, item.input()?))
}

/// The first request.
fn call(kind: &Kind, input: &Json) -> Result<Call, WorkError> {
    let method = kind.method.as_deref().unwrap_or("GET").to_uppercase();
    let body = match &kind.body {
        Some(body) => body.get().to_owned(),
        None if method == "GET" || method == "HEAD" => String::new(),
        None => input.to_string(),
    };
    Ok(Call {
        method: Method::from_bytes(method.as_bytes()).map_err(|error| no_request(&error.into()))?,
        url: kind.url.clone(),
        headers: kind.headers.clone(),
        body,
    })
}

/// A request and what follows from it, until there is an answer. Errors go on
/// from the node's URL, as in "http://… could not be asked".
struct Exchange {
    agent: Agent,
    follow: Follow,
    ends: Instant,
}

impl Exchange {
    fn new(kind: &Kind) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        let connector = DefaultConnector::default();
        Self {
            agent: Agent::with_parts(config, connector, NeverInward::default()),
            follow: kind.follow_redirects.unwrap_or_default(),
            ends: Instant::now() + HTTP_TIMEOUT,
        }
    }

    fn go(&self, call: Result<Call, WorkError>) -> Result<Answer, WorkError> {
        let mut call = call?;
        for _ in 0..=HTTP_REDIRECTS_MAX {
            let response = self.ask(&call)?;
            let status = response.status();
            let Some(location) = location(&response) else {
                return if status.is_success() {
                    answer(response, call.method == Method::HEAD)
                } else {
                    Err(refused(response))
                };
            };
            let next = location.and_then(|location| {
                let through_proxy = self.agent.config().proxy().is_some();
                call.redirected(status, &location, self.follow, through_proxy)
            });
            call = next.map_err(|problem| {
                not_followed(&format!("answered {status}, and the redirect {problem}"))
            })?;
        }
        Err(not_followed(&format!(
            "led to more than {HTTP_REDIRECTS_MAX} redirects, one after the other"
        )))
    }

    fn ask(&self, call: &Call) -> Result<Response<Body>, WorkError> {
        let request = call.request().map_err(|error| no_request(&error))?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(self.ends.saturating_duration_since(Instant::now())))
            .build();
        self.agent.run(request).map_err(|error| broken(&error))
    }
}

/// Where a redirect leads; `None` for other answers.
fn location(response: &Response<Body>) -> Option<Result<String, String>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut locations = response.headers().get_all(LOCATION).iter();
    Some(match (locations.next(), locations.next()) {
        (Some(location), None) => Ok(String::from_utf8_lossy(location.as_bytes()).into_owned()),
        (Some(_), Some(_)) => Err("leads to several places at once".to_owned()),
        (None, _) => Err("does not say where to".to_owned()),
    })
}

fn not_followed(said: &str) -> WorkError {
    WorkError::permanent(said).class("redirect")
}

fn no_request(error: &ureq::http::Error) -> WorkError {
    WorkError::permanent(format!(
        "cannot be asked, because this is no request: {error}"
    ))
}

/// The request was made, and there is no answer.
fn broken(error: &ureq::Error) -> WorkError {
    let said = format!("could not be asked: {error}");
    match error {
        ureq::Error::Other(other) if other.is::<LeadsInward>() => not_followed(&format!(
            "answered with a redirect that is not followed: {other}"
        )),
        ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::LargeResponseHeader(..) => WorkError::permanent(said),
        ureq::Error::Timeout(_) => WorkError::retryable(said).class("timeout"),
        ureq::Error::Io(error) if was_reset(error) => {
            WorkError::retryable(said).class("connection_reset")
        }
        _ => WorkError::retryable(said).class("io_error"),
    }
}

fn was_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// The failure that a status means, whatever its body is.
fn refused(response: Response<Body>) -> WorkError {
    let status = response.status();
    let wait = wait(response.headers());
    let asked_for = seconds(response.headers());
    let said = format!("answered {status}{wait}: {}", beginning(response));
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
fn beginning(response: Response<Body>) -> String {
    let mut bytes = Vec::new();
    let reader = response.into_body().into_reader();
    let read = reader
        .take(HTTP_ERROR_BYTES_MAX as u64)
        .read_to_end(&mut bytes);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.truncate(text.floor_char_boundary(HTTP_ERROR_BYTES_MAX));
    if let Err(error) = read {
        text.push_str(&format!(" (and broke off: {error})"));
    }
    text
}

/// What a success means.
fn answer(response: Response<Body>, head: bool) -> Result<Answer, WorkError> {
    let encoding = response.headers().get(CONTENT_ENCODING).cloned();
    let json = is_json(response.headers()) && !head;
    let bytes = body(response)?;
    let encoding = encoding.filter(|it| !bytes.is_empty() && !it.is_empty() && it != "identity");
    if let Some(encoding) = encoding {
        return Err(WorkError::permanent(format!(
            "answered with a body in the encoding {encoding:?}, which is not read here; leave the header `accept-encoding` out"
        )));
    }
    let meaning = if json {
        meaning::of_json(bytes)
    } else {
        meaning::of(bytes)
    };
    meaning.map_err(|problem| WorkError::permanent(format!("answered with {problem}")))
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

fn body(response: Response<Body>) -> Result<Vec<u8>, WorkError> {
    let mut bytes = Vec::new();
    let reader = response.into_body().into_reader();
    let mut reader = reader.take(PAYLOAD_BYTES_MAX as u64 + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| broke_off(&error))?;
    if bytes.len() > PAYLOAD_BYTES_MAX {
        return Err(WorkError::permanent(format!(
            "answered with more than {PAYLOAD_BYTES_MAX} bytes; ask for less"
        )));
    }
    Ok(bytes)
}

fn broke_off(error: &io::Error) -> WorkError {
    let said = WorkError::retryable(format!("answered, and the answer broke off: {error}"));
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(ureq::Error::Timeout(_)) => said.class("timeout"),
        _ if was_reset(error) => said.class("connection_reset"),
        _ => said.class("io_error"),
    }
}
