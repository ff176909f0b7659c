//! Keeps what is secret in a request out of the texts about it.
//!
//! An error becomes an event, and stays in the log for good; it is shown,
//! exported and sent on. So it never holds what lets somebody in.

use std::collections::BTreeMap;
use std::ops::Range;

/// What stands for a secret.
const MASK: &str = "***";

/// A value that is shorter than this is masked only where its name stands before it.
/// Looked for in whole texts, it would be found in too much else.
const BYTES_MIN: usize = 4;

/// A header or parameter whose name has one of these in it is secret …
const PARTS: [&str; 16] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "signature",
    "credential",
    "apikey",
    "accesskey",
    "authori",
    "cookie",
    "session",
    "bearer",
    "jwt",
    "assertion",
    "private",
];

/// … and one that has one of these for a word.
const WORDS: [&str; 7] = ["key", "sig", "auth", "pass", "pw", "otp", "pin"];

/// What is secret in one request.
pub(super) struct Secrets {
    /// The URL, as it was written and as it may be said.
    url: (String, String),
    /// The names and values of secret headers that are short.
    short_headers: Vec<(String, String)>,
    /// Values that are masked wherever they stand.
    values: Vec<String>,
}

impl Secrets {
    /// The password of the URL, parameters and headers that are secret by
    /// their names.
    pub(super) fn of(url: &str, headers: &BTreeMap<String, String>) -> Self {
        let mut found: Vec<String> = Vec::new();
        found.extend(password(url).map(|place| url[place].to_owned()));
        found.extend(parameters(url).map(str::to_owned));
        for (_, value) in headers.iter().filter(|(name, _)| is_secret(name)) {
            // `Bearer …`: what is secret is the second word.
            found.extend(
                value
                    .split_once(' ')
                    .map(|(_, word)| word.trim().to_owned()),
            );
            found.push(value.clone());
        }
        found.retain(|secret| secret.len() >= BYTES_MIN);
        // One may be a part of another: that one first.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let short = |(name, value): &(&String, &String)| {
            is_secret(name) && (1..BYTES_MIN).contains(&value.len())
        };
        let short_headers = headers.iter().filter(short);
        Self {
            url: (url.to_owned(), without_user_info(&without_parameters(url))),
            short_headers: short_headers
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            values: found,
        }
    }

    /// The value of a response's header without them.
    pub(super) fn hide_header(&self, name: &str, value: &str) -> String {
        if is_secret(name) {
            MASK.to_owned()
        } else {
            self.hide(value)
        }
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        let (url, masked) = &self.url;
        let mut text = hidden_in_urls(&text.replace(url, masked));
        for (name, value) in &self.short_headers {
            text = without_header(&text, name, value);
        }
        for secret in &self.values {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        text
    }
}

/// A text in which every URL is without its password, and without the values of
/// parameters that are secret by their names, however short these are.
pub(super) fn hidden_in_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for word in text.split_inclusive(ends_url) {
        masked.push_str(&without_parameters(word));
    }
    without_user_info(&masked)
}

/// A URL, or a part of one from its path on, without the values of secret parameters.
fn without_parameters(url: &str) -> String {
    let Some(query) = url.find(['?', '#']) else {
        return url.to_owned();
    };
    // What ends a word stands behind it, and belongs to no value.
    let end = url.trim_end_matches(ends_url).len().max(query);
    let mut masked = url[..query].to_owned();
    for pair in url[query..end].split_inclusive(['&', '#']) {
        let (pair, separator) = match pair.strip_suffix(['&', '#']) {
            Some(pair_alone) => (pair_alone, &pair[pair_alone.len()..]),
            None => (pair, ""),
        };
        masked.push_str(&without_value(pair));
        masked.push_str(separator);
    }
    masked.push_str(&url[end..]);
    masked
}

/// One parameter, or several with `;` between them, without what follows on the first
/// secret name: a value may hold a `;`, too.
fn without_value(pair: &str) -> String {
    let mut from = 0;
    for part in pair.split_inclusive(';') {
        if let Some((name, _)) = part.split_once('=')
            && is_secret(name)
            && from + name.len() + 1 < pair.len()
        {
            return format!("{}{name}={MASK}", &pair[..from]);
        }
        from += part.len();
    }
    pair.to_owned()
}

/// Whether a URL in a text ends before this.
fn ends_url(it: char) -> bool {
    "\"'<>`".contains(it) || it.is_whitespace()
}

/// A text in which this value does not stand behind the name of its header.
fn without_header(text: &str, name: &str, value: &str) -> String {
    let (lower, name) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
    let mut masked = String::with_capacity(text.len());
    let mut said = 0;
    for (at, _) in lower.match_indices(&name) {
        let behind = at + name.len();
        let rest = text[behind..].trim_start_matches([':', '=', ' ', '"', '\'']);
        let start = text.len() - rest.len();
        if start > behind && start >= said && rest.starts_with(value) {
            masked.push_str(&text[said..start]);
            masked.push_str(MASK);
            said = start + value.len();
        }
    }
    masked.push_str(&text[said..]);
    masked
}

/// A text in which every URL is without its password.
fn without_user_info(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(Range { start, end }) = password(rest) {
        masked.push_str(&rest[..start]);
        masked.push_str(MASK);
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

/// Where the first URL of a text that has a password has it. A user without a
/// password is one: tokens are written so.
fn password(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("://")? + "://".len();
        let ends = |it: char| "/?#\"'<>`".contains(it) || it.is_whitespace();
        let authority = text[start..].split(ends).next().unwrap_or_default();
        from = start;
        let Some(end) = authority.rfind('@').filter(|end| *end > 0) else {
            continue;
        };
        let info = &authority[..end];
        // Masked before: looked at once.
        if info == MASK || info.ends_with(":***") {
            continue;
        }
        let password = info.find(':').map(|colon| colon + 1);
        let password = password.filter(|first| *first < end).unwrap_or(0);
        return Some(start + password..start + end);
    }
}

/// The values of the URL's parameters that are secret by their names.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query
        .split(['&', ';'])
        .filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| is_secret(name))
        .map(|(_, value)| value)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|it: char| !it.is_ascii_alphanumeric());
    PARTS.iter().any(|part| name.contains(part)) || words.any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_urls_are_masked_wherever_they_stand() {
        for (text, masked) in [
            ("http://user:pw@host/a", "http://user:***@host/a"),
            ("https://TOKEN@host", "https://***@host"),
            ("https://TOKEN:@host", "https://***@host"),
            ("http://u:p@ss:w@host:1/x@y", "http://u:***@host:1/x@y"),
            (
                "fatal: 'https://u:p@h/r.git/': no; postgres://a:b@c",
                "fatal: 'https://u:***@h/r.git/': no; postgres://a:***@c",
            ),
            (
                "http://host/a@b http://@host mail a@b ://",
                "http://host/a@b http://@host mail a@b ://",
            ),
            ("http://user:***@host", "http://user:***@host"),
        ] {
            assert_eq!(without_user_info(text), masked);
        }
    }

    #[test]
    fn a_secret_parameter_is_masked_in_every_url_however_short_it_is() {
        for (text, masked) in [
            ("http://h/c?token=abc", "http://h/c?token=***"),
            (
                "GET /c?a=1&pw=1&b=2#access_token=x said 1",
                "GET /c?a=1&pw=***&b=2#access_token=*** said 1",
            ),
            (
                "'http://h/?sig=a' <http://h/?pin=1>",
                "'http://h/?sig=***' <http://h/?pin=***>",
            ),
            (
                "http://h/?token=&a;key=x?x;y#z",
                "http://h/?token=&a;key=***#z",
            ),
            ("http://u:p@h/?otp=é", "http://u:***@h/?otp=***"),
            ("pass=3;fail=4 token=abc", "pass=3;fail=4 token=abc"),
            ("really? token=abc", "really? token=abc"),
        ] {
            assert_eq!(hidden_in_urls(text), masked);
        }
    }

    #[test]
    fn short_secrets_of_a_request_are_masked_where_their_names_stand() {
        let headers = [("X-Api-Key", "ab"), ("Accept", "ab")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = "http://h/it's?token=a b&x=a b";
        let secrets = Secrets::of(url, &BTreeMap::from(headers));
        let said = format!("{url} said: x-api-key: ab, {{\"X-Api-Key\":\"ab\"}}, about ab");
        assert_eq!(
            secrets.hide(&said),
            "http://h/it's?token=***&x=a b said: x-api-key: ***, {\"X-Api-Key\":\"***\"}, about ab"
        );
    }

    #[test]
    fn what_is_secret_by_its_name_is_hidden_wherever_it_is_repeated() {
        let headers = [
            ("Authorization", "Bearer abcdef"),
            ("X-Api-Key", "0123456"),
            ("Accept", "text/plain"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = "https://me:hunter2@host/?q=cats&access_token=t0k3n&X-Amz-Signature=5191&sig=a%2Fb9#frag";
        let secrets = Secrets::of(url, &BTreeMap::from(headers));
        let said = format!("{url} said: Bearer abcdef, abcdef, 0123456, hunter2, text/plain");
        assert_eq!(
            secrets.hide(&said),
            "https://me:***@host/?q=cats&access_token=***&X-Amz-Signature=***&sig=***#frag said: ***, ***, ***, ***, text/plain"
        );
    }
}
