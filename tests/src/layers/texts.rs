//! The texts in the code of a crate: its string literals, without comments and tests.

use std::path::{Path, PathBuf};

use anyhow::Result;
use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::ToTokens;

use super::modules;

/// A text in the code of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The file, from the folder that was read.
    pub file: PathBuf,
    /// The line at which it begins.
    pub line: usize,
    /// What it says, with the placeholders that it has.
    pub says: String,
}

/// Read the crate whose `lib.rs` stands in this folder: all texts of its code, those in
/// the arguments of macros and attributes too.
pub fn texts(src: &Path) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for module in modules::read(src)? {
        let tokens = module.items.iter().map(ToTokens::to_token_stream);
        for literal in tokens.flat_map(literals) {
            if let syn::Lit::Str(text) = syn::Lit::new(literal.clone()) {
                texts.push(Text {
                    file: module.file.clone(),
                    line: literal.span().start().line,
                    says: text.value(),
                });
            }
        }
    }
    Ok(texts)
}

fn literals(tokens: TokenStream) -> Vec<Literal> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => found.push(literal),
            // A comment for readers is an attribute too.
            TokenTree::Group(group) if !is_comment(&group.stream()) => {
                found.extend(literals(group.stream()));
            }
            _ => {}
        }
    }
    found
}

fn is_comment(attribute: &TokenStream) -> bool {
    let first = attribute.clone().into_iter().next();
    matches!(first, Some(TokenTree::Ident(name)) if name == "doc")
}
