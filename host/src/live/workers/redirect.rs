//! Redirects: which are followed, and with what.
//!
//! Within the origin that the node's author has written, a redirect is followed
//! as browsers do it (the Fetch standard): 307 and 308 with the method and the
//! body, 303 as a GET, and 301 and 302 with the method, but a POST as a GET.
//! Another origin is asked only where the node says so, and then without the
//! node's headers: they may be credentials, and the answer decides who is sent
//! them. Nothing is followed to another scheme than `http` and `https`, from
//! `https` to `http`, or further in than before (see `addresses`).

use std::collections::BTreeMap;

use serde::Deserialize;
use ureq::http::{Method, Request, StatusCode, Uri};

use super::addresses::Zone;

/// Which redirects the node wants followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Follow {
    /// Those to the same scheme, host and port.
    #[default]
    SameOrigin,
    /// Those to other origins too.
    Anywhere,
    Never,
}

/// One request of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Call {
    /// The request that is sent.
    pub(super) fn request(&self) -> Result<Request<String>, ureq::http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.url.as_str());
        let typed = |name: &String| name.eq_ignore_ascii_case("content-type");
        if !self.body.is_empty() && !self.headers.keys().any(typed) {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body.clone())
    }

    /// The request that a redirect asks for. The error says why it is not
    /// made, as in "the redirect …".
    pub(super) fn redirected(
        &self,
        status: StatusCode,
        location: &str,
        follow: Follow,
        through_proxy: bool,
    ) -> Result<Self, String> {
        if follow == Follow::Never {
            return Err("is not followed, as the node's `follow_redirects` says".to_owned());
        }
        let from = Place::of(&self.url)?;
        let place = Place::of(&resolved(&self.url, location))?;
        if from.scheme == "https" && place.scheme == "http" {
            return Err("leads from https to http, which is never followed".to_owned());
        }
        let same = from.origin() == place.origin();
        if !same && follow == Follow::SameOrigin {
            let origin = place.origin();
            return Err(format!(
                "leads to another origin, {origin}; name that address in the node's `url`, or set `follow_redirects` to \"anywhere\""
            ));
        }
        // A proxy resolves names itself: only what is written can be judged.
        if through_proxy && place.zone() > from.zone() {
            return Err(super::addresses::LeadsInward.to_string());
        }
        Ok(self.sent_to(&place, &from, same, status))
    }

    fn sent_to(&self, place: &Place, from: &Place, same: bool, status: StatusCode) -> Self {
        let (get, post) = (Method::GET, Method::POST);
        let becomes_get = match status.as_u16() {
            301 | 302 => self.method == post,
            303 => self.method != get && self.method != Method::HEAD,
            _ => false,
        };
        let describes_body = |name: &str| name.to_ascii_lowercase().starts_with("content-");
        let typed = |name: &str| name.eq_ignore_ascii_case("content-type");
        let mut headers = self.headers.clone();
        headers.retain(|name, _| {
            let name = name.as_str();
            // The body's type says nothing that the body does not.
            let goes = same || typed(name);
            goes && !name.eq_ignore_ascii_case("host") && !(becomes_get && describes_body(name))
        });
        Self {
            method: if becomes_get {
                get
            } else {
                self.method.clone()
            },
            url: place.url(from.user_info.as_deref().filter(|_| same)),
            headers,
            body: if becomes_get {
                String::new()
            } else {
                self.body.clone()
            },
        }
    }
}

/// What a URL leads to.
struct Place {
    scheme: String,
    user_info: Option<String>,
    host: String,
    port: u16,
    path: String,
}

impl Place {
    fn of(url: &str) -> Result<Self, String> {
        // The scheme comes first: a URL of another one need not be of a form
        // that the parser of requests knows.
        let (scheme, _) = url.split_once(':').unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        let standard = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => {
                return Err(format!(
                    "leads to the scheme {scheme:?}; only http and https are followed"
                ));
            }
        };
        let uri: Uri = url
            .parse()
            .map_err(|error| format!("leads to what is no URL: {error}"))?;
        let authority = uri.authority().ok_or("leads to no host")?;
        let user_info = authority
            .as_str()
            .rsplit_once('@')
            .map(|(info, _)| info.to_owned());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            scheme,
            user_info,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(standard),
            path: path.to_owned(),
        })
    }

    fn origin(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }

    /// The URL, with this user info: what a `Location` has of it is not used.
    fn url(&self, user_info: Option<&str>) -> String {
        let info = user_info.map(|info| format!("{info}@")).unwrap_or_default();
        let Self {
            scheme,
            host,
            port,
            path,
            ..
        } = self;
        format!("{scheme}://{info}{host}:{port}{path}")
    }

    fn zone(&self) -> Zone {
        Zone::as_written(&self.host).unwrap_or(Zone::Public)
    }
}

/// A reference, resolved against the URL that it came from (RFC 3986, 5.2).
fn resolved(base: &str, reference: &str) -> String {
    let reference = escaped(reference.trim());
    let reference = reference.split('#').next().unwrap_or_default();
    let (scheme, rest) = base.split_once("://").unwrap_or((base, ""));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    if has_scheme(reference) {
        reference.to_owned()
    } else if reference.starts_with("//") {
        format!("{scheme}:{reference}")
    } else if reference.is_empty() {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{authority}{path}{query}")
    } else if reference.starts_with('?') {
        format!("{scheme}://{authority}{path}{reference}")
    } else if reference.starts_with('/') {
        format!("{scheme}://{authority}{}", without_dots(reference))
    } else {
        let folder = path.rfind('/').map_or("/", |last| &path[..=last]);
        format!(
            "{scheme}://{authority}{}",
            without_dots(&format!("{folder}{reference}"))
        )
    }
}

fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|it: char| it.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it))
    })
}

/// What may not stand in a URL as it is, as bytes in percent.
fn escaped(reference: &str) -> String {
    let mut escaped = String::with_capacity(reference.len());
    for byte in reference.bytes() {
        if byte.is_ascii_graphic() {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let (path, query) = path
        .find('?')
        .map_or((path, ""), |mark| path.split_at(mark));
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            ".." => drop(kept.pop()),
            "." => {}
            _ => {
                kept.push(part);
                continue;
            }
        }
        if parts.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, url: &str) -> Call {
        let headers = [
            ("X-Api-Key", "k"),
            ("Content-Type", "text/x"),
            ("Host", "h"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Call {
            method,
            url: url.to_owned(),
            headers: headers.into(),
            body: "body".to_owned(),
        }
    }

    #[test]
    fn references_are_resolved() {
        let base = "http://a/b/c/d;p?q#f";
        for (reference, url) in [
            ("g", "http://a/b/c/g"),
            ("./g/", "http://a/b/c/g/"),
            ("/g?y", "http://a/g?y"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("", "http://a/b/c/d;p?q"),
            ("#s", "http://a/b/c/d;p?q"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("https://x/y", "https://x/y"),
            ("g h\u{e9}", "http://a/b/c/g%20h%C3%A9"),
        ] {
            assert_eq!(resolved(base, reference), url, "{reference}");
        }
        assert_eq!(resolved("http://a", "g"), "http://a/g");
        assert_eq!(resolved("http://a?x=/y", "g"), "http://a/g");
    }

    #[test]
    fn methods_and_bodies_go_along_as_the_fetch_standard_says() {
        for (status, method, becomes) in [
            (301, Method::POST, Method::GET),
            (302, Method::POST, Method::GET),
            (302, Method::PUT, Method::PUT),
            (302, Method::HEAD, Method::HEAD),
            (303, Method::PUT, Method::GET),
            (303, Method::HEAD, Method::HEAD),
            (307, Method::POST, Method::POST),
            (308, Method::PATCH, Method::PATCH),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let next = call(method.clone(), "http://u:p@a/b")
                .redirected(status, "/c", Follow::SameOrigin, false)
                .expect("it is followed");
            assert_eq!(next.method, becomes, "{status} {method}");
            assert_eq!(next.url, "http://u:p@a:80/c");
            let changed = becomes != method;
            assert_eq!(next.body.is_empty(), changed, "{status} {method}");
            let names: Vec<_> = next.headers.keys().map(String::as_str).collect();
            let expected = if changed {
                &["X-Api-Key"][..]
            } else {
                &["Content-Type", "X-Api-Key"]
            };
            assert_eq!(names, expected, "{status} {method}");
        }
    }

    #[test]
    fn elsewhere_is_asked_only_where_the_node_says_so_and_without_its_headers() {
        let go = |from: &str, location: &str, follow, through_proxy| {
            call(Method::POST, from).redirected(
                StatusCode::TEMPORARY_REDIRECT,
                location,
                follow,
                through_proxy,
            )
        };
        for (from, location) in [
            ("http://a/", "http://b/"),
            ("http://a/", "http://a:81/"),
            ("http://a/", "https://a/"),
            ("http://a/", "//b/"),
        ] {
            let refused = go(from, location, Follow::SameOrigin, false).expect_err(location);
            assert!(refused.contains("another origin"), "{refused}");
            let next = go(from, location, Follow::Anywhere, false).expect(location);
            let names: Vec<_> = next.headers.keys().map(String::as_str).collect();
            assert_eq!((names, next.body.as_str()), (vec!["Content-Type"], "body"));
        }
        let next = go("http://u:p@a/", "http://x:y@b/", Follow::Anywhere, false).expect("it goes");
        assert_eq!(next.url, "http://b:80/");
        assert!(go("http://a/", "http://A:80/", Follow::SameOrigin, false).is_ok());
        for (from, location, told) in [
            ("http://a/", "ftp://a/", "\"ftp\""),
            ("http://a/", "file:///etc/passwd", "\"file\""),
            ("http://a/", "javascript:1", "leads to"),
            ("https://a/", "http://a/", "from https to http"),
        ] {
            let refused = go(from, location, Follow::Anywhere, false).expect_err(location);
            assert!(refused.contains(told), "{refused}");
        }
        assert!(go("http://a/", "/b", Follow::Never, false).is_err());
        assert!(go("http://a/", "http://10.0.0.1/", Follow::Anywhere, true).is_err());
        assert!(go("http://a/", "http://b/", Follow::Anywhere, true).is_ok());
    }
}
