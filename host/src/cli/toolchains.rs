//! What makes scheduler components that import nothing of WASI, with the tools of several
//! languages. Only what was tried stands here.

use serde::Serialize;

/// The tool of a language, and how it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Toolchain {
    pub(super) language: &'static str,
    pub(super) remedy: &'static str,
}

const ALL: [Toolchain; 3] = [
    Toolchain {
        language: "JavaScript",
        remedy: "componentize-js with stdio, random, clocks, http and fetch-event disabled: `jco componentize --disable all`",
    },
    Toolchain {
        language: "Python",
        remedy: "`componentize-py componentize --stub-wasi`",
    },
    Toolchain {
        language: "Rust",
        remedy: "`cargo build --target wasm32-unknown-unknown`, then `wasm-tools component new`",
    },
];

/// What makes components without these imports. Nothing where they are not of WASI, because
/// then the author has asked for them.
pub(super) fn without(imports: &[String]) -> &'static [Toolchain] {
    match imports.iter().any(|import| import.starts_with("wasi:")) {
        true => &ALL,
        false => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_imports_of_wasi_are_the_toolchain_s() {
        let wasi = [
            "refrain:other/x".to_owned(),
            "wasi:io/poll@0.2.0".to_owned(),
        ];
        assert_eq!(without(&wasi), &ALL);
        assert_eq!(without(&wasi[..1]), &[]);
        assert_eq!(without(&[]), &[]);
    }
}
