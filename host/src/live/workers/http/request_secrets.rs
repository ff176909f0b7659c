//! Keeps what is secret in a request out of the texts about it.
//!
//! An error becomes an event, and stays in the log for good; it is shown,
//! exported and sent on. So it never holds what lets somebody in.

use std::collections::BTreeMap;

use crate::live::workers::secrets::{
    MASK, hidden_in_urls, is_secret, password, without_parameters, without_user_info,
};

/// A value that is shorter than this is masked only where its name stands before it.
/// Looked for in whole texts, it would be found in too much else.
const BYTES_MIN: usize = 4;

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

#[cfg(test)]
mod tests {
    use super::*;

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
