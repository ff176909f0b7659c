//! Keeps what is secret in addresses out of texts.
//!
//! An error becomes an event, and stays in the log for good; it is shown,
//! exported and sent on. So it never holds what lets somebody in.

use std::ops::Range;

/// What stands for a secret.
pub(super) const MASK: &str = "***";

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
pub(super) fn without_parameters(url: &str) -> String {
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

/// A text in which every URL is without its password.
pub(super) fn without_user_info(text: &str) -> String {
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
pub(super) fn password(text: &str) -> Option<Range<usize>> {
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

pub(super) fn is_secret(name: &str) -> bool {
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
}
