//! Keeps what is secret in a request out of the texts about it.
//!
//! An error becomes an event, and stays in the log for good; it is shown,
//! exported and sent on. So it never holds what lets somebody in.

use std::collections::BTreeMap;
use std::ops::Range;

/// What stands for a secret.
const MASK: &str = "***";

/// A value that is shorter than this is not looked for in texts: too much else
/// is the same.
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
pub(super) struct Secrets(Vec<String>);

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
        Self(found)
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut text = without_user_info(text);
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        text
    }
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
