//! What a path means, as far as it stays in the crate.

use super::modules::Module;

/// So many imports lead from one to the next at most; more is a ring.
const HOPS_MAX: usize = 6;

/// What a path leads to.
#[derive(Clone, Copy)]
pub(super) enum Meaning<'a> {
    /// A module as such.
    Module(&'a Module),
    /// Something that this module declares, or generates.
    Item(&'a Module),
}

/// What `path`, as written in `user`, leads to; none: out of the crate.
pub(super) fn meaning<'a>(
    modules: &'a [Module],
    user: &'a Module,
    path: &[String],
) -> Option<Meaning<'a>> {
    followed(modules, user, path, HOPS_MAX)
}

fn followed<'a>(
    modules: &'a [Module],
    user: &'a Module,
    path: &[String],
    hops: usize,
) -> Option<Meaning<'a>> {
    let hops = hops.checked_sub(1)?;
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => walked(modules, find(modules, &[])?, rest, hops),
        "self" => walked(modules, user, rest, hops),
        "super" => {
            let (_, above) = user.path.split_last()?;
            let parent = find(modules, above)?;
            match rest.first().map(String::as_str) {
                Some("super") => followed(modules, parent, rest, hops),
                _ => walked(modules, parent, rest, hops),
            }
        }
        _ if knows(modules, user, first, hops) => walked(modules, user, path, hops),
        _ => None,
    }
}

/// Whether a module has something of this name.
fn knows(modules: &[Module], module: &Module, name: &str, hops: usize) -> bool {
    child(modules, module, name).is_some()
        || module.declared.contains(name)
        || module.imports.contains_key(name)
        || of_glob(modules, module, name, hops).is_some()
}

/// From a module on.
fn walked<'a>(
    modules: &'a [Module],
    module: &'a Module,
    path: &[String],
    hops: usize,
) -> Option<Meaning<'a>> {
    let Some((name, rest)) = path.split_first() else {
        return Some(Meaning::Module(module));
    };
    if let Some(child) = child(modules, module, name) {
        return walked(modules, child, rest, hops);
    }
    if module.declared.contains(name) {
        return Some(Meaning::Item(module));
    }
    if let Some(import) = module.imports.get(name) {
        // A module may import a name from another crate that is called like it.
        let is_itself = import.first() == Some(name);
        let target = [import, rest].concat();
        return match is_itself {
            true => None,
            false => followed(modules, module, &target, hops),
        };
    }
    if let Some(found) = of_glob(modules, module, name, hops) {
        return Some(found);
    }
    // A macro for all is named from the top.
    let is_top = module.path.is_empty();
    let of_macro = modules.iter().filter(|_| is_top);
    let mut of_macro = of_macro.filter(|module| module.exported.contains(name));
    // What nobody declares is generated where the path ends.
    Some(Meaning::Item(of_macro.next().unwrap_or(module)))
}

/// What a module has under this name from somewhere where it takes everything.
fn of_glob<'a>(
    modules: &'a [Module],
    module: &'a Module,
    name: &str,
    hops: usize,
) -> Option<Meaning<'a>> {
    let hops = hops.checked_sub(1)?;
    module.globs.iter().find_map(|glob| {
        let Meaning::Module(from) = followed(modules, module, glob, hops)? else {
            return None;
        };
        let has = child(modules, from, name).is_some()
            || from.declared.contains(name)
            || from.imports.contains_key(name);
        has.then(|| walked(modules, from, &[name.to_owned()], hops))?
    })
}

fn child<'a>(modules: &'a [Module], module: &Module, name: &str) -> Option<&'a Module> {
    let path = [module.path.as_slice(), &[name.to_owned()]].concat();
    find(modules, &path)
}

fn find<'a>(modules: &'a [Module], path: &[String]) -> Option<&'a Module> {
    modules.iter().find(|module| module.path == path)
}
