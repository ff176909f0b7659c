//! Redirects: which are followed, and with what.
//!
//! Within the origin that the node's author has written, a redirect is followed
//! as browsers do it (the Fetch standard): 307 and 308 with the method and the
//! body, 303 as a GET, and 301 and 302 with the method, but a POST as a GET.
//! Another origin is asked only where the node says so, and then without the
//! node's headers: they may be credentials, and the answer decides who is sent
//! them. Nothing is followed to another scheme than `http` and `https`, from
//! `https` to `http`, or further in than before (see `addresses`).

use http::{Method, StatusCode};
use serde::Deserialize;

use super::call::Call;
use super::place::Place;

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

/// The request that a redirect asks for. The error says why it is not
/// made, as in "the redirect …".
pub(super) fn redirected(
    call: &Call,
    status: StatusCode,
    location: &str,
    follow: Follow,
) -> Result<Call, String> {
    if follow == Follow::Never {
        return Err("is not followed, as the node's `follow_redirects` says".to_owned());
    }
    let place = |url: &str| Place::of(url).map_err(|error| error.to_string());
    let from = place(&call.url)?;
    let to = place(&resolved(&call.url, location))?;
    if from.origin.is_https && !to.origin.is_https {
        return Err("leads from https to http, which is never followed".to_owned());
    }
    let same = from.origin == to.origin;
    if !same && follow == Follow::SameOrigin {
        let origin = to.origin;
        return Err(format!(
            "leads to another origin, {origin}; name that address in the node's `url`, or set `follow_redirects` to \"anywhere\""
        ));
    }
    Ok(sent_to(call, &to, &from, same, status))
}

fn sent_to(call: &Call, place: &Place, from: &Place, same: bool, status: StatusCode) -> Call {
    let (get, post) = (Method::GET, Method::POST);
    let becomes_get = match status.as_u16() {
        301 | 302 => call.method == post,
        303 => call.method != get && call.method != Method::HEAD,
        _ => false,
    };
    let describes_body = |name: &str| name.to_ascii_lowercase().starts_with("content-");
    let typed = |name: &str| name.eq_ignore_ascii_case("content-type");
    let mut headers = call.headers.clone();
    headers.retain(|name, _| {
        let name = name.as_str();
        // The body's type says nothing that the body does not.
        let goes = same || typed(name);
        goes && !name.eq_ignore_ascii_case("host") && !(becomes_get && describes_body(name))
    });
    Call {
        method: if becomes_get {
            get
        } else {
            call.method.clone()
        },
        url: place.url(from.user_info.as_deref().filter(|_| same)),
        headers,
        body: if becomes_get {
            String::new()
        } else {
            call.body.clone()
        },
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
            let first = call(method.clone(), "http://u:p@a/b");
            let next = redirected(&first, status, "/c", Follow::SameOrigin);
            let next = next.expect("it is followed");
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
        let go = |from: &str, location: &str, follow| {
            let status = StatusCode::TEMPORARY_REDIRECT;
            redirected(&call(Method::POST, from), status, location, follow)
        };
        for (from, location) in [
            ("http://a/", "http://b/"),
            ("http://a/", "http://a:81/"),
            ("http://a/", "https://a/"),
            ("http://a/", "//b/"),
        ] {
            let refused = go(from, location, Follow::SameOrigin).expect_err(location);
            assert!(refused.contains("another origin"), "{refused}");
            let next = go(from, location, Follow::Anywhere).expect(location);
            let names: Vec<_> = next.headers.keys().map(String::as_str).collect();
            assert_eq!((names, next.body.as_str()), (vec!["Content-Type"], "body"));
        }
        let next = go("http://u:p@a/", "http://x:y@b/", Follow::Anywhere).expect("it goes");
        assert_eq!(next.url, "http://b:80/");
        assert!(go("http://a/", "http://A:80/", Follow::SameOrigin).is_ok());
        for (from, location, told) in [
            ("http://a/", "ftp://a/", "\"ftp\""),
            ("http://a/", "file:///etc/passwd", "\"file\""),
            ("http://a/", "javascript:1", "leads to"),
            ("https://a/", "http://a/", "from https to http"),
        ] {
            let refused = go(from, location, Follow::Anywhere).expect_err(location);
            assert!(refused.contains(told), "{refused}");
        }
        assert!(go("http://a/", "/b", Follow::Never).is_err());
    }
}
