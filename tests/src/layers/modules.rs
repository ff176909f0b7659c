//! The files of a crate, from the bottom up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use quote::ToTokens;
use syn::{Attribute, Item, ItemMod, UseTree};

/// One file, or a module within one.
pub(super) struct Module {
    /// Its name from the top: `decide`, `retry`. None of the top itself.
    pub(super) path: Vec<String>,
    /// The file, from the folder that was read.
    pub(super) file: PathBuf,
    /// How many files stand below. Modules within a file stand where it does.
    pub(super) place: usize,
    /// What it consists of, without its tests and without its modules.
    pub(super) items: Vec<Item>,
    /// What it declares by itself.
    pub(super) declared: BTreeSet<String>,
    /// What it has from elsewhere, by the name that it has here.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// Where it has everything from.
    pub(super) globs: Vec<Vec<String>>,
    /// The macros that it declares for all, and which are named from the top.
    pub(super) exported: BTreeSet<String>,
}

/// Read a crate: its modules, the lowest first.
pub(super) fn read(src: &Path) -> Result<Vec<Module>> {
    let mut modules = Vec::new();
    let mut files = 0;
    read_file(src, Path::new("lib.rs"), &[], &mut modules, &mut files)?;
    Ok(modules)
}

fn read_file(
    src: &Path,
    file: &Path,
    path: &[String],
    modules: &mut Vec<Module>,
    files: &mut usize,
) -> Result<()> {
    let place = src.join(file);
    let text =
        fs::read_to_string(&place).with_context(|| format!("cannot read {}", place.display()))?;
    let source =
        syn::parse_file(&text).with_context(|| format!("{} is not Rust", place.display()))?;
    let mut inner = Vec::new();
    let items = split(path, source.items, &mut inner);
    for (path, module) in inner.iter().filter(|(_, module)| module.content.is_none()) {
        let file = file_of(src, file, &module.ident.to_string())?;
        read_file(src, &file, path, modules, files)?;
    }
    let within = inner.into_iter().filter_map(|(path, module)| {
        let (_, items) = module.content?;
        Some((path, items))
    });
    let mut of_file: Vec<(Vec<String>, Vec<Item>)> = within
        .map(|(path, items)| {
            let items = split(&path, items, &mut Vec::new());
            (path, items)
        })
        .collect();
    of_file.push((path.to_vec(), items));
    for (path, items) in of_file {
        modules.push(module(path, file, *files, items));
    }
    *files += 1;
    Ok(())
}

/// What is no test: the modules apart from the rest.
fn split(
    path: &[String],
    items: Vec<Item>,
    modules: &mut Vec<(Vec<String>, ItemMod)>,
) -> Vec<Item> {
    let mut rest = Vec::new();
    for item in items {
        match item {
            Item::Mod(module) if is_test(&module.attrs) => {}
            Item::Mod(module) => {
                let name = module.ident.to_string();
                modules.push(([path, &[name]].concat(), module));
            }
            Item::Use(import) if is_test(&import.attrs) => {}
            item => rest.push(item),
        }
    }
    rest
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let tokens = attribute.meta.to_token_stream().to_string();
        attribute.path().is_ident("cfg")
            && tokens
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "test")
    })
}

/// The file of a module that is declared in this one.
fn file_of(src: &Path, parent: &Path, name: &str) -> Result<PathBuf> {
    let folder = match parent.file_name().and_then(|name| name.to_str()) {
        Some("lib.rs" | "mod.rs") => parent.with_file_name(""),
        _ => parent.with_extension(""),
    };
    let candidates = [
        folder.join(format!("{name}.rs")),
        folder.join(name).join("mod.rs"),
    ];
    let found = candidates.into_iter().find(|file| src.join(file).is_file());
    found.with_context(|| format!("{} lists `{name}`, which has no file", parent.display()))
}

fn module(path: Vec<String>, file: &Path, place: usize, items: Vec<Item>) -> Module {
    let mut module = Module {
        path,
        file: file.to_owned(),
        place,
        declared: items.iter().filter_map(name).collect(),
        items: Vec::new(),
        imports: BTreeMap::new(),
        globs: Vec::new(),
        exported: items.iter().filter_map(exported).collect(),
    };
    for item in &items {
        if let Item::Use(import) = item {
            leaves(
                &import.tree,
                &mut Vec::new(),
                &mut |path, name| match name {
                    Some(name) => {
                        module.imports.insert(name, path);
                    }
                    None => module.globs.push(path),
                },
            );
        }
    }
    module.items = items;
    module
}

/// The name that a macro has at the top of the crate, wherever it is declared.
fn exported(item: &Item) -> Option<String> {
    let Item::Macro(declared) = item else {
        return None;
    };
    let mut attributes = declared.attrs.iter();
    attributes
        .any(|attribute| attribute.path().is_ident("macro_export"))
        .then(|| name(item))?
}

/// The name that an item declares.
fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Each path that a `use` imports, with its name here; without one: all of it.
pub(super) fn leaves(
    tree: &UseTree,
    before: &mut Vec<String>,
    found: &mut impl FnMut(Vec<String>, Option<String>),
) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| leaves(tree, before, found)),
        UseTree::Glob(_) => found(before.clone(), None),
        UseTree::Name(name) => {
            let (path, name) = leaf(before, name.ident.to_string());
            found(path, Some(name));
        }
        UseTree::Rename(rename) => {
            let (path, _) = leaf(before, rename.ident.to_string());
            found(path, Some(rename.rename.to_string()));
        }
    }
}

/// `self` at the end of a path is what stands before it.
fn leaf(before: &[String], name: String) -> (Vec<String>, String) {
    match before.last() {
        Some(last) if name == "self" => (before.to_vec(), last.clone()),
        _ => {
            let path = [before, std::slice::from_ref(&name)].concat();
            (path, name)
        }
    }
}
