//! What a module uses, and where it writes methods.

use std::path::PathBuf;

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::{GenericArgument, Item, ItemImpl, PathArguments, Type};

use super::Finding;
use super::modules::{Module, leaves};
use super::names::{Meaning, meaning};

/// All that a module uses though it stands above it.
pub(super) fn of(modules: &[Module], user: &Module) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in &user.items {
        let line = item.span().start().line;
        match item {
            Item::Use(import) => leaves(&import.tree, &mut Vec::new(), &mut |path, _| {
                findings.extend(above(modules, user, &path, line));
            }),
            item => {
                for (path, line) in paths(item.to_token_stream()) {
                    if !is_told(modules, user, &path[0]) {
                        findings.extend(above(modules, user, &path, line));
                    }
                }
            }
        }
        if let Item::Impl(block) = item {
            findings.extend(elsewhere(modules, user, block, line));
        }
    }
    findings
}

/// Whether a name was imported from above: then its import is told already.
fn is_told(modules: &[Module], user: &Module, name: &str) -> bool {
    let import = user.imports.get(name);
    import.is_some_and(|path| above(modules, user, path, 0).is_some())
}

fn above(modules: &[Module], user: &Module, path: &[String], line: usize) -> Option<Finding> {
    let used = match meaning(modules, user, path)? {
        // To name a parent is not to use it; what of it is used is named after it.
        Meaning::Module(module) if user.path.starts_with(&module.path) => return None,
        Meaning::Module(module) | Meaning::Item(module) => module,
    };
    (used.place > user.place).then(|| Finding {
        file: user.file.clone(),
        line,
        other: used.file.clone(),
        message: format!(
            "it uses `{}`, which is of {} and stands above it",
            path.join("::"),
            used.file.display()
        ),
    })
}

/// Methods that do not stand with their type, and implementations that stand
/// with neither the trait, nor what it is given, nor the type. A conversion from
/// a type that stands higher is written with that one: who has a value to convert
/// stands above it anyway.
fn elsewhere(modules: &[Module], user: &Module, block: &ItemImpl, line: usize) -> Option<Finding> {
    let place = |path: &syn::Path| {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        meaning(modules, user, &segments)
    };
    let of_type = match &*block.self_ty {
        Type::Path(path) => place(&path.path),
        _ => None,
    };
    let is_here = |meaning: Option<Meaning<'_>>| matches!(meaning, Some(Meaning::Item(module)) if module.place == user.place);
    let of_trait = block.trait_.as_ref().map(|(path, _)| path);
    let given = of_trait.into_iter().flat_map(given_types);
    let mut paths = given.chain(of_trait);
    if is_here(of_type) || paths.any(|path| is_here(place(path))) {
        return None;
    }
    let name = block.self_ty.to_token_stream().to_string().replace(' ', "");
    let (home, other) = match of_type {
        Some(Meaning::Item(module) | Meaning::Module(module)) => {
            (module.file.display().to_string(), module.file.clone())
        }
        None => ("another crate".to_owned(), PathBuf::new()),
    };
    let message = match block.trait_ {
        None => format!(
            "methods of `{name}` stand here, and the type in {home}: write functions over it"
        ),
        Some(_) => format!(
            "a trait of `{name}` is implemented here, which stands with neither the trait nor the type ({home})"
        ),
    };
    Some(Finding {
        file: user.file.clone(),
        line,
        other,
        message,
    })
}

/// The types that a trait is given: `Damaged` of `From<Damaged>`.
fn given_types(path: &syn::Path) -> Vec<&syn::Path> {
    let mut found = Vec::new();
    for segment in &path.segments {
        if let PathArguments::AngleBracketed(arguments) = &segment.arguments {
            found.extend(arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(Type::Path(of)) => Some(&of.path),
                _ => None,
            }));
        }
    }
    found
}

/// All paths of two segments and more, wherever they stand: in code, in the
/// arguments of macros, in attributes and the texts within them.
fn paths(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut line = 0;
    // How many colons follow the last name, and whether some stood before the
    // first: such a path begins with the name of a crate.
    let (mut colons, mut is_global) = (0, false);
    let mut end = |path: &mut Vec<String>, line: usize, is_global: bool| {
        if path.len() > 1 && !is_global {
            found.push((path.clone(), line));
        }
        path.clear();
    };
    let mut inner = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 || path.is_empty() {
                    end(&mut path, line, is_global);
                    is_global = colons == 2;
                    line = ident.span().start().line;
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            other => {
                end(&mut path, line, is_global);
                colons = 0;
                is_global = false;
                match other {
                    TokenTree::Group(group) => inner.extend(within(&group)),
                    TokenTree::Literal(literal) => inner.extend(in_text(&literal)),
                    TokenTree::Ident(_) | TokenTree::Punct(_) => {}
                }
            }
        }
    }
    end(&mut path, line, is_global);
    found.extend(inner);
    found
}

/// Comments for readers are attributes too, and may speak of whatever they like.
fn within(group: &proc_macro2::Group) -> Vec<(Vec<String>, usize)> {
    let mut tokens = group.stream().into_iter();
    match tokens.next() {
        Some(TokenTree::Ident(ident)) if ident == "doc" => Vec::new(),
        _ => paths(group.stream()),
    }
}

/// A text that is a path, as in `#[serde(with = "crate::json::verbatim")]`.
fn in_text(literal: &Literal) -> Vec<(Vec<String>, usize)> {
    let text = literal.to_string();
    let text = text.trim_matches('"');
    let is_path = text.starts_with("crate::")
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    let segments = || text.split("::").map(str::to_owned).collect();
    is_path
        .then(|| (segments(), literal.span().start().line))
        .into_iter()
        .collect()
}
