//! What a browser may do with a page: the content policy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a script or style as a content policy names it, `sha256-` and base64.
#[must_use]
pub fn digest_of(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// The content policy of a page with this one script and style: these and nothing else, no
/// network, workers out of the page itself, and WebAssembly for the scheduler.
#[must_use]
pub fn policy(script: &str, style: &str) -> String {
    format!(
        "default-src 'none'; script-src '{}' 'wasm-unsafe-eval'; style-src '{}'; worker-src blob:; base-uri 'none'; form-action 'none'",
        digest_of(script),
        digest_of(style)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of the empty text is known to everybody.
    #[test]
    fn digests_are_those_of_content_policies() {
        let empty = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(digest_of(""), empty);
        let policy = policy("", "a");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.contains(&format!("script-src '{empty}' 'wasm-unsafe-eval';")));
        assert!(policy.contains(&format!("style-src '{}';", digest_of("a"))));
        assert!(!policy.contains("unsafe-inline") && !policy.contains("http"));
    }
}
