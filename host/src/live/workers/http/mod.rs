//! The built-in worker of the queue `http`: makes a request.
//!
//! A JSON object in the response is the output and the patch, other JSON or
//! text goes under the node's id; status and headers are in the telemetry of the
//! node's completion. What a further attempt may cure (a broken
//! connection, 408, 425, 429, 5xx) is retryable; another 4xx is not, nor a
//! redirect that is not followed. No error holds a secret of the request.
//!
//! All attempts of an engine share one client, whose connections are kept for a
//! moment. An attempt that is stopped is dropped, and its request with it.
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod request_secrets;
mod addresses;
mod place;
mod call;
mod redirect;

mod proxy;
mod tls;
mod failure;
mod connect;
mod connection;
mod pool;
mod client;
mod response;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::error::WorkError;
use crate::json::Json;
use crate::limits::{HTTP_ERROR_BYTES_MAX, HTTP_REDIRECTS_MAX, HTTP_TIMEOUT};
use crate::live::values::work::Answer;
use crate::live::workers::filled::{self, Filled};
use crate::model::WorkItem;
use crate::secrets::{Masks, is_put_in};

use addresses::NeverInward;
use call::Call;
use client::{Answered, Client};
use failure::Failure;
use place::Place;
use redirect::{Follow, redirected};
use request_secrets::Secrets;

/// The node's `kind`, as far as this worker reads it.
#[derive(Deserialize)]
struct Kind {
    url: Filled,
    /// GET unless said.
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Filled>,
    /// What is sent; the node's input unless said, and nothing with GET and HEAD. The
    /// empty text is nothing too.
    #[serde(default)]
    body: Option<Box<RawValue>>,
    #[serde(default)]
    follow_redirects: Option<Follow>,
}

/// Makes the requests of `http` nodes, for workers of one's own; an engine's are
/// [`work_http`](crate::Engine::work_http). A clone is the same client, with the same
/// connections.
#[derive(Clone)]
pub struct HttpWorker(Arc<Client>);

impl fmt::Debug for HttpWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWorker").finish_non_exhaustive()
    }
}

impl Default for HttpWorker {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpWorker {
    /// With the proxies and the certificates that the environment names.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Client::new()))
    }

    /// Make the request that the item's node names. Dropped halfway, the request ends.
    ///
    /// An item that was claimed must have been given its secrets before
    /// ([`put_in`](crate::secrets::put_in)).
    ///
    /// # Errors
    /// What became of it instead.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn run(&self, item: WorkItem) -> Result<Answer, WorkError> {
        self.run_hiding(item, &Masks::default()).await
    }

    /// The same, with these secrets in the item, which are not repeated.
    pub(crate) async fn run_hiding(
        &self,
        item: WorkItem,
        masks: &Masks,
    ) -> Result<Answer, WorkError> {
        if !is_put_in(&item) {
            let said = "the request was not given its secrets before it was to be made";
            return Err(WorkError::permanent(said));
        }
        run(&self.0, &item, masks).await
    }
}

async fn run(client: &Client, item: &WorkItem, masks: &Masks) -> Result<Answer, WorkError> {
    let (kind, input) = read(item)
        .map_err(|error| WorkError::permanent(format!("the payload is no request: {error}")))?;
    let Filled(url) = &kind.url;
    let headers = kind.headers.iter();
    let headers: BTreeMap<String, String> = headers
        .map(|(name, Filled(value))| (name.clone(), value.clone()))
        .collect();
    let secrets = Secrets::of(url, &headers);
    let exchange = Exchange {
        client,
        secrets: &secrets,
        masks,
        follow: kind.follow_redirects.unwrap_or_default(),
        ends: Instant::now() + HTTP_TIMEOUT,
    };
    let checked = check_path(url).and_then(|()| check(&headers));
    let answer = match checked.and_then(|()| call(&kind, headers, &input)) {
        Ok(call) => exchange.go(call.of_attempt(item)).await,
        Err(error) => Err(error),
    };
    answer.map_err(|error| WorkError {
        // By their names first: what is left may be a part of a URL.
        message: secrets.hide(&masks.hide(&format!("{url} {}", error.message))),
        ..error
    })
}

fn read(item: &WorkItem) -> Result<(Kind, Json), serde_json::Error> {
    Ok((item.kind()?.parse()?, item.input()?))
}

/// What no request can hold: a header that ends its line would be two.
fn check(headers: &BTreeMap<String, String>) -> Result<(), WorkError> {
    for (name, value) in headers {
        let is_odd = |it: char| it.is_control() && it != '\t';
        let pointer = format!("/kind/headers/{}", filled::step(name));
        filled::refuse(value, is_odd, &pointer, "header").map_err(|error| WorkError {
            message: format!("{NOT_ASKED}: {}", error.message),
            ..error
        })?;
    }
    Ok(())
}

/// A segment of the path that servers take for the folder above, or for none: with it, the
/// request is about something else than the path says (rule R29).
fn check_path(url: &str) -> Result<(), WorkError> {
    match place::dot_segment(url) {
        None => Ok(()),
        Some(segment) => Err(filled::unusable(format!(
            "{NOT_ASKED}: the value at /kind/url has the segment `{segment}` in its path, which servers take for another path; write the path without it, and let no expression come to it"
        ))),
    }
}

/// The first request.
fn call(kind: &Kind, headers: BTreeMap<String, String>, input: &Json) -> Result<Call, WorkError> {
    let method = kind.method.as_deref().unwrap_or("GET").to_uppercase();
    let body = match &kind.body {
        Some(body) if body.get() == r#""""# => String::new(),
        Some(body) => body.get().to_owned(),
        None if method == "GET" || method == "HEAD" => String::new(),
        None => input.to_string(),
    };
    Ok(Call {
        method: Method::from_bytes(method.as_bytes())
            .map_err(|error| Failure::from(http::Error::from(error)).while_doing(NOT_ASKED))?,
        url: kind.url.0.clone(),
        headers,
        body,
    })
}

/// The beginning of what an error says, behind the URL.
const NOT_ASKED: &str = "could not be asked";

/// A request and what follows from it, until there is an answer. Errors go on
/// from the node's URL, as in "http://… could not be asked".
struct Exchange<'a> {
    client: &'a Client,
    secrets: &'a Secrets,
    masks: &'a Masks,
    follow: Follow,
    ends: Instant,
}

impl Exchange<'_> {
    async fn go(&self, mut call: Call) -> Result<Answer, WorkError> {
        let mut guard = NeverInward::default();
        for _ in 0..=HTTP_REDIRECTS_MAX {
            let answered = self.ask(&call, &mut guard).await?;
            let status = answered.status;
            let Some(location) = response::location(&answered) else {
                return if status.is_success() {
                    let is_head = call.method == Method::HEAD;
                    response::success(answered, is_head, self.secrets, self.ends).await
                } else {
                    Err(response::refused(answered, self.masks, self.ends).await)
                };
            };
            leave(answered);
            let next =
                location.and_then(|location| redirected(&call, status, &location, self.follow));
            call = next.map_err(|problem| {
                not_followed(&format!("answered {status}, and the redirect {problem}"))
            })?;
        }
        Err(not_followed(&format!(
            "led to more than {HTTP_REDIRECTS_MAX} redirects, one after the other"
        )))
    }

    async fn ask(&self, call: &Call, guard: &mut NeverInward) -> Result<Answered, WorkError> {
        let place = Place::of(&call.url).map_err(|error| {
            WorkError::permanent(format!("cannot be asked, because it {error}"))
        })?;
        let asked = timeout_at(self.ends, self.client.ask(call, place, guard)).await;
        let asked = asked.unwrap_or(Err(Failure::Timeout("there was no answer in time")));
        asked.map_err(|failure| failure.while_doing(NOT_ASKED))
    }
}

/// What a redirect says besides is not waited for. Where it has come already, the
/// connection is used on.
fn leave(answered: Answered) {
    let mut body = answered.body;
    let mut bytes = Vec::new();
    let read = body.read(&mut bytes, HTTP_ERROR_BYTES_MAX).now_or_never();
    if let Some(Ok(true)) = read {
        body.give_back();
    }
}

fn not_followed(said: &str) -> WorkError {
    WorkError::permanent(said).class("redirect")
}
