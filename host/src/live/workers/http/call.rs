//! One request of an exchange, and how it is sent.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHORIZATION,
    TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;

use crate::limits::HTTP_IDEMPOTENCY_KEY_BYTES_MAX;
use crate::model::{Digest, WorkItem};

use super::place::Place;

/// The header that names an attempt.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// One request of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Who is asked for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Via<'a> {
    /// The server, or a tunnel that leads to it.
    Server,
    /// A proxy, which reads the request and passes it on.
    Proxy(Option<&'a HeaderValue>),
}

impl Call {
    /// The same, which names its attempt, unless its author has named it.
    pub(super) fn of_attempt(mut self, item: &WorkItem) -> Self {
        let named = |name: &String| name.eq_ignore_ascii_case(IDEMPOTENCY_KEY);
        if !self.headers.keys().any(named) {
            let key = idempotency_key(item);
            self.headers.insert(IDEMPOTENCY_KEY.to_owned(), key);
        }
        self
    }

    /// What is sent to the place of the URL.
    pub(super) fn request(
        &self,
        place: &Place,
        via: Via<'_>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::new(Full::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = match via {
            Via::Server => place.path.parse()?,
            Via::Proxy(_) => place.url(None).parse()?,
        };
        let headers = request.headers_mut();
        self.write_headers(place, headers)?;
        if let Via::Proxy(Some(credentials)) = via {
            headers.insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        Ok(request)
    }

    fn write_headers(&self, place: &Place, headers: &mut HeaderMap) -> Result<(), http::Error> {
        headers.reserve(self.headers.len() + 6);
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse()?;
            // Where a body ends, the connection says: a length that is wrong would
            // make its rest the next request.
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                headers.append(name, value.parse()?);
            }
        }
        or_insert(headers, HOST, || place.origin.authority().try_into())?;
        let agent = HeaderValue::from_static(concat!("refrain/", env!("CARGO_PKG_VERSION")));
        or_insert(headers, USER_AGENT, || Ok(agent))?;
        or_insert(headers, ACCEPT, || Ok(HeaderValue::from_static("*/*")))?;
        if let Some(info) = &place.user_info {
            or_insert(headers, AUTHORIZATION, || basic(info))?;
        }
        if !self.body.is_empty() {
            let json = HeaderValue::from_static("application/json");
            or_insert(headers, CONTENT_TYPE, || Ok(json))?;
        } else if matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            // Servers expect a body, and are told that it is empty.
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        Ok(())
    }
}

fn or_insert(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: impl FnOnce() -> Result<HeaderValue, http::header::InvalidHeaderValue>,
) -> Result<(), http::Error> {
    if !headers.contains_key(&name) {
        headers.insert(name, value()?);
    }
    Ok(())
}

/// A header value that says who asks: the user and the password of a URL.
pub(super) fn basic(user_info: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain = from_percent(user);
    plain.push(b':');
    plain.extend(from_percent(password));
    let mut value: HeaderValue = format!("Basic {}", STANDARD.encode(plain)).try_into()?;
    value.set_sensitive(true);
    Ok(value)
}

/// The bytes that a part of a URL stands for.
fn from_percent(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let coded = after.get(..2).filter(|_| *first == b'%');
        let coded = coded.and_then(|it| std::str::from_utf8(it).ok());
        match coded.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// `EXECUTION/NODE/ATTEMPT`, with what may not stand in a URL's path in percent. A
/// node's name can be so long that servers would refuse the key: such a key is its own
/// SHA-256.
fn idempotency_key(item: &WorkItem) -> String {
    let mut key = format!("{}/", item.execution_id);
    for byte in item.node_id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            key.push(char::from(byte));
        } else {
            key.push_str(&format!("%{byte:02X}"));
        }
    }
    key.push_str(&format!("/{}", item.attempt));
    if key.len() > HTTP_IDEMPOTENCY_KEY_BYTES_MAX {
        Digest::of(key.as_bytes()).to_string()
    } else {
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, headers: &[(&str, &str)], body: &str) -> Call {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Call {
            method,
            url: "http://u:p%40@h:81/a?b".to_owned(),
            headers: headers.collect(),
            body: body.to_owned(),
        }
    }

    fn headers(call: &Call, via: Via<'_>) -> String {
        let place = Place::of(&call.url).expect("a URL");
        let request = call.request(&place, via).expect("a request");
        let mut lines: Vec<_> = request
            .headers()
            .iter()
            .filter(|(name, _)| *name != USER_AGENT && *name != ACCEPT)
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("a text")))
            .collect();
        lines.sort();
        format!("{} | {}", request.uri(), lines.join(" | "))
    }

    #[test]
    fn headers_are_the_nodes_and_what_they_leave_open() {
        let post = |headers, body| call(Method::POST, headers, body);
        for (call, via, expected) in [
            (
                call(Method::GET, &[], ""),
                Via::Server,
                "/a?b | authorization: Basic dTpwQA== | host: h:81",
            ),
            (
                post(
                    &[
                        ("Host", "x"),
                        ("AUTHORIZATION", "y"),
                        ("Content-Length", "1"),
                    ],
                    "",
                ),
                Via::Server,
                "/a?b | authorization: y | content-length: 0 | host: x",
            ),
            (
                post(&[("X-a", "1"), ("x-A", "2"), ("Content-Type", "t")], "{}"),
                Via::Proxy(Some(&HeaderValue::from_static("who"))),
                "http://h:81/a?b | authorization: Basic dTpwQA== | content-type: t | host: h:81 | proxy-authorization: who | x-a: 1 | x-a: 2",
            ),
            (
                call(Method::DELETE, &[("Transfer-Encoding", "chunked")], "1"),
                Via::Server,
                "/a?b | authorization: Basic dTpwQA== | content-type: application/json | host: h:81",
            ),
        ] {
            assert_eq!(headers(&call, via), expected);
        }
    }

    #[test]
    fn a_key_names_the_attempt_and_its_author_may_name_it_otherwise() {
        let item = |node: &str| WorkItem {
            execution_id: "e".to_owned(),
            node_id: node.to_owned(),
            attempt: 2,
            ..WorkItem::default()
        };
        let key = |node: &str, headers| {
            let call = call(Method::GET, headers, "").of_attempt(&item(node));
            let [(_, key)] = &call.headers.into_iter().collect::<Vec<_>>()[..] else {
                panic!("one header");
            };
            key.clone()
        };
        assert_eq!(key("a-1", &[]), "e/a-1/2");
        assert_eq!(key("a/b é", &[]), "e/a%2Fb%20%C3%A9/2");
        assert_eq!(key("a", &[("idempotency-key", "mine")]), "mine");
        let long = "é".repeat(60);
        assert_eq!(key(&long, &[]).len(), 64);
        assert_ne!(key(&long, &[]), key(&"é".repeat(61), &[]));
    }
}
