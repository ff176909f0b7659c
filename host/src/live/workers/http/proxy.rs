//! Proxies, as the environment names them: `HTTP_PROXY`, `HTTPS_PROXY`, else
//! `ALL_PROXY`, and `NO_PROXY` for what is asked directly; all of them also in lower
//! case, which comes first.

use std::net::IpAddr;

use http::HeaderValue;

use super::call::basic;
use super::place::{NoPlace, Origin, Place};

/// Which origins are asked by way of which proxy.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    http: Option<Result<Proxy, NoProxy>>,
    https: Option<Result<Proxy, NoProxy>>,
    direct: Vec<Direct>,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) origin: Origin,
    /// The value of `Proxy-Authorization`.
    pub(super) credentials: Option<HeaderValue>,
}

/// What the environment names is no proxy. Its text is not repeated: it may hold a
/// password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoProxy {
    #[error("the proxy that {0} names is of the kind {1:?}; only http and https are known")]
    Kind(String, String),
    #[error("what {0} names is no proxy; write it as http://host:port")]
    Text(String),
}

/// What is asked directly.
#[derive(Debug, PartialEq, Eq)]
enum Direct {
    Everything,
    /// This host and those below it, at this port or at any.
    Host(String, Option<u16>),
    /// Addresses with these first bits.
    Network(IpAddr, u8),
}

impl Proxies {
    /// As this process's environment names them.
    pub(super) fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| {
            [name.to_ascii_lowercase(), name.to_owned()]
                .into_iter()
                .find_map(|name| {
                    let value = variable(&name)?;
                    let value = value.trim();
                    (!value.is_empty()).then(|| (name, value.to_owned()))
                })
        };
        // A web server hands the header `Proxy` of whoever asks it to its programs as
        // HTTP_PROXY.
        let is_asked_by_anyone = variable("REQUEST_METHOD").is_some();
        let http = variable("HTTP_PROXY").filter(|(name, _)| {
            let may_be_a_header = name.as_str() == "HTTP_PROXY";
            !(is_asked_by_anyone && may_be_a_header)
        });
        let named = |of_scheme: Option<(String, String)>| {
            let (name, value) = of_scheme.or_else(|| variable("ALL_PROXY"))?;
            Some(Proxy::of(&name, &value))
        };
        let direct = variable("NO_PROXY").map(|(_, value)| value);
        Self {
            http: named(http),
            https: named(variable("HTTPS_PROXY")),
            direct: direct.as_deref().map(Direct::list).unwrap_or_default(),
        }
    }

    /// The proxy by which this origin is asked; `None` where it is asked directly.
    pub(super) fn of_origin(&self, origin: &Origin) -> Result<Option<&Proxy>, NoProxy> {
        let proxy = if origin.is_https {
            &self.https
        } else {
            &self.http
        };
        match proxy {
            Some(_) if self.direct.iter().any(|direct| direct.holds(origin)) => Ok(None),
            Some(Ok(proxy)) => Ok(Some(proxy)),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }
}

impl Proxy {
    fn of(name: &str, value: &str) -> Result<Self, NoProxy> {
        let url = if value.contains("://") {
            value.to_owned()
        } else {
            format!("http://{value}")
        };
        let place = Place::of(&url).map_err(|error| match error {
            NoPlace::Scheme(kind) => NoProxy::Kind(name.to_owned(), kind),
            NoPlace::Url(_) | NoPlace::Host => NoProxy::Text(name.to_owned()),
        })?;
        let credentials = place.user_info.as_deref().map(basic).transpose();
        Ok(Self {
            origin: place.origin,
            credentials: credentials.map_err(|_| NoProxy::Text(name.to_owned()))?,
        })
    }
}

impl Direct {
    fn list(text: &str) -> Vec<Self> {
        let entries = text.split([',', ' ']).map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        entries.map(Self::of).collect()
    }

    fn of(entry: &str) -> Self {
        if entry == "*" {
            return Self::Everything;
        }
        let network = entry.split_once('/').and_then(|(address, bits)| {
            let address = address.parse().ok()?;
            Some(Self::Network(address, bits.parse().ok()?))
        });
        if let Some(network) = network {
            return network;
        }
        if let Some(address) = address(entry) {
            return Self::Network(address, u8::MAX);
        }
        let with_port = entry.rsplit_once(':');
        let with_port = with_port.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = with_port.map_or((entry, None), |(host, port)| (host, Some(port)));
        let host = host.trim_start_matches("*.").trim_start_matches('.');
        Self::Host(host.to_ascii_lowercase(), port)
    }

    fn holds(&self, origin: &Origin) -> bool {
        match self {
            Self::Everything => true,
            Self::Network(network, bits) => address(&origin.host)
                .is_some_and(|address| first_bits(address, *bits) == first_bits(*network, *bits)),
            Self::Host(host, port) => {
                let asked = origin.host.trim_end_matches('.');
                let is_below = || {
                    let above = asked.strip_suffix(host.as_str());
                    above.is_some_and(|above| above.ends_with('.'))
                };
                port.is_none_or(|port| port == origin.port) && (asked == host || is_below())
            }
        }
    }
}

/// A host that is written as an address.
fn address(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

/// Addresses of both kinds never agree: the first says which.
fn first_bits(address: IpAddr, count: u8) -> (bool, u128) {
    let count = u32::from(count);
    match address {
        IpAddr::V4(address) => {
            let cut = 32_u32.saturating_sub(count);
            let bits = u128::from(address.to_bits());
            (true, bits.checked_shr(cut).unwrap_or(0))
        }
        IpAddr::V6(address) => {
            let cut = 128_u32.saturating_sub(count);
            (false, address.to_bits().checked_shr(cut).unwrap_or(0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::of(|name| {
            let set = variables.iter().find(|(it, _)| *it == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    fn asked(proxies: &Proxies, url: &str) -> String {
        let origin = Place::of(url).expect("a URL").origin;
        match proxies.of_origin(&origin) {
            Ok(None) => "directly".to_owned(),
            Ok(Some(proxy)) => proxy.origin.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_environment_says_who_is_asked_by_way_of_whom() {
        let (http, https) = ("http://a/", "https://a/");
        for (variables, http_goes, https_goes) in [
            (&[][..], "directly", "directly"),
            (&[("HTTP_PROXY", "http://p:1")], "http://p:1", "directly"),
            (&[("https_proxy", "p")], "directly", "http://p:80"),
            (
                &[("ALL_PROXY", "https://p")],
                "https://p:443",
                "https://p:443",
            ),
            (
                &[
                    ("HTTP_PROXY", "p:1"),
                    ("http_proxy", "q:2"),
                    ("all_proxy", "r:3"),
                ],
                "http://q:2",
                "http://r:3",
            ),
            (
                &[("HTTP_PROXY", "p:1"), ("REQUEST_METHOD", "GET")],
                "directly",
                "directly",
            ),
            (&[("HTTP_PROXY", "")], "directly", "directly"),
            (
                &[("ALL_PROXY", "socks5://me:pw@p:1")],
                "the proxy that ALL_PROXY names is of the kind \"socks5\"; only http and https are known",
                "the proxy that ALL_PROXY names is of the kind \"socks5\"; only http and https are known",
            ),
            (
                &[("HTTP_PROXY", "http://me:pw@")],
                "what HTTP_PROXY names is no proxy; write it as http://host:port",
                "directly",
            ),
        ] {
            let proxies = proxies(variables);
            assert_eq!(asked(&proxies, http), http_goes, "{variables:?}");
            assert_eq!(asked(&proxies, https), https_goes, "{variables:?}");
        }
    }

    #[test]
    fn who_is_asked_directly_is_a_host_a_domain_or_a_network() {
        for (direct, url, expected) in [
            ("*", "http://a", true),
            ("b, a", "http://a", true),
            ("a", "http://x.a:81", true),
            (".a", "http://x.a", true),
            ("*.a", "http://x.a", true),
            ("A", "http://a.", true),
            ("a", "http://ba", false),
            ("x.a", "http://a", false),
            ("a:81", "http://a:81", true),
            ("a:81", "http://a", false),
            ("127.0.0.1", "http://127.0.0.1:9", true),
            ("127.0.0.1", "http://127.0.0.2", false),
            ("10.0.0.0/8", "http://10.1.2.3", true),
            ("10.0.0.0/8", "http://11.1.2.3", false),
            ("10.0.0.0/0", "http://11.1.2.3", true),
            ("::1", "http://[::1]", true),
            ("fd00::/8", "http://[fd12::1]", true),
            ("::/0", "http://127.0.0.1", false),
        ] {
            let proxies = proxies(&[("http_proxy", "p:1"), ("no_proxy", direct)]);
            let is_direct = asked(&proxies, url) == "directly";
            assert_eq!(is_direct, expected, "{direct} {url}");
        }
    }

    #[test]
    fn a_proxy_is_told_who_asks() {
        let proxy = Proxy::of("x", "http://me:p%40ss@p:1").expect("a proxy");
        let credentials = proxy.credentials.expect("credentials");
        assert_eq!(credentials, "Basic bWU6cEBzcw==");
    }
}
