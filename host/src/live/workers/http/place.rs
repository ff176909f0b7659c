//! What a URL leads to.

use std::fmt;

use http::Uri;

use super::addresses::Zone;

/// What answers: requests to the same origin may share connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) is_https: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

/// What a URL leads to: an origin, as whom, and what of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) origin: Origin,
    pub(super) user_info: Option<String>,
    /// The path, and the query.
    pub(super) path: String,
}

/// A URL that leads nowhere: what is wrong with it, as in "the redirect …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlace {
    #[error("leads to the scheme {0:?}; only http and https are followed")]
    Scheme(String),
    #[error("leads to what is no URL: {0}")]
    Url(String),
    #[error("leads to no host")]
    Host,
}

impl Place {
    pub(super) fn of(url: &str) -> Result<Self, NoPlace> {
        // The scheme comes first: a URL of another one need not be of a form
        // that the parser of requests knows.
        let (scheme, _) = url.split_once(':').unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        let is_https = match scheme.as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(NoPlace::Scheme(scheme)),
        };
        let uri: Uri = url
            .parse()
            .map_err(|error: http::uri::InvalidUri| NoPlace::Url(error.to_string()))?;
        let authority = uri.authority().ok_or(NoPlace::Host)?;
        let user_info = authority
            .as_str()
            .rsplit_once('@')
            .map(|(info, _)| info.to_owned());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            origin: Origin {
                is_https,
                host: authority.host().to_ascii_lowercase(),
                port: authority.port_u16().unwrap_or(standard_port(is_https)),
            },
            user_info,
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }

    /// The URL, with this user info: what a `Location` has of it is not used.
    pub(super) fn url(&self, user_info: Option<&str>) -> String {
        let info = user_info.map(|info| format!("{info}@")).unwrap_or_default();
        let Origin { host, port, .. } = &self.origin;
        let scheme = self.origin.scheme();
        format!("{scheme}://{info}{host}:{port}{}", self.path)
    }
}

/// The first segment of a URL's path that is `.` or `..`, also where dots are written in
/// percent.
pub(super) fn dot_segment(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let is_dots = |segment: &&str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    };
    rest.split(['/', '\\']).skip(1).find(is_dots)
}

impl Origin {
    pub(super) fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The host, without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> &str {
        let host = self.host.as_str();
        let inner = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        inner.unwrap_or(host)
    }

    /// The host, and the port where it is not that of the scheme.
    pub(super) fn authority(&self) -> String {
        if self.port == standard_port(self.is_https) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Where it is, as far as its host says it.
    pub(super) fn zone_as_written(&self) -> Zone {
        Zone::as_written(&self.host).unwrap_or(Zone::Public)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme(), self.host, self.port)
    }
}

fn standard_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_an_origin() {
        for (url, origin, authority, path) in [
            ("http://H", "http://h:80", "h", "/"),
            ("HTTPS://h:443/a?b", "https://h:443", "h", "/a?b"),
            ("http://u:p@h:81?x", "http://h:81", "h:81", "/?x"),
            ("http://[::1]:8/", "http://[::1]:8", "[::1]:8", "/"),
        ] {
            let place = Place::of(url).expect(url);
            assert_eq!(place.origin.to_string(), origin, "{url}");
            assert_eq!(place.origin.authority(), authority, "{url}");
            assert_eq!(place.path, path, "{url}");
        }
        let ipv6 = Place::of("http://[::1]/").expect("a URL");
        assert_eq!(ipv6.origin.bare_host(), "::1");
        assert_eq!(
            Place::of("ftp://h").expect_err("another scheme"),
            NoPlace::Scheme("ftp".to_owned())
        );
    }
    #[test]
    fn r29_a_segment_that_leads_elsewhere_is_found() {
        for (url, found) in [
            ("http://h/users/../delete", Some("..")),
            ("http://h/users/%2E./delete", Some("%2E.")),
            ("http://h/.", Some(".")),
            ("http://h/a/%2e?b", Some("%2e")),
            ("https://h/..#a", Some("..")),
            ("http://h/a\\..\\b", Some("..")),
            ("http://../a", None),
            ("http://h/...?a=/../b", None),
            ("http://h/..%2Fb/.a/a..", None),
            ("http://h?/../", None),
            ("http://h", None),
        ] {
            assert_eq!(dot_segment(url), found, "{url}");
        }
    }
}
