//! What the built-in workers could never carry out. It is told before anything
//! runs, because no attempt would be better than the one before.
//!
//! No message repeats a value: it may hold a secret.

use alloc::borrow::Cow;
use alloc::format;

use crate::condition::{Roots, SyntaxError};
use crate::json::{elements, members};
use crate::template::{Insertion, TextTemplate};
use crate::workflow::fault::Place;
use crate::workflow::fields::Fields;
use crate::workflow::typed::Read;

/// Check the fields of a kind, whose types are checked already.
pub(super) fn check(kind: &Fields<'_, '_>, name: &str) {
    match name {
        "command" => check_command(kind),
        "http" => check_http(kind),
        _ => {}
    }
}

fn check_command(kind: &Fields<'_, '_>) {
    let place = kind.place.key("argv");
    for (index, text) in texts(kind, "argv") {
        let place = place.index(index);
        if index == 0 && text.is_empty() {
            let remedy = "write the name or the path of a program";
            kind.faults
                .report(&place, "the program's name is empty", remedy);
        }
        refuse_nul(kind, &place, &text);
    }
    if let Some(folder) = kind.raw("cwd").and_then(literal) {
        refuse_nul(kind, &kind.place.key("cwd"), &folder);
    }
    let place = kind.place.key("env");
    for (name, value) in entries(kind, "env") {
        let place = place.key(&name);
        if name.is_empty() || name.contains('=') {
            let message = "no variable can have this name";
            let remedy = "use a name that is not empty, without `=`";
            kind.faults.report(&place, message, remedy);
        }
        refuse_nul(kind, &place, &name);
        refuse_nul(kind, &place, &value);
    }
}

fn refuse_nul(kind: &Fields<'_, '_>, place: &Place<'_>, text: &str) {
    if text.contains('\0') {
        let message = "no program can be given a text with the character U+0000 in it";
        let remedy = "leave it out, or hand the text over on stdin or in a file";
        kind.faults.report(place, message, remedy);
    }
}

fn check_http(kind: &Fields<'_, '_>) {
    if let Some(url) = kind.raw("url").and_then(<Cow<'_, str>>::read) {
        match template(&url) {
            Ok(None) => check_url(kind, &url),
            // Its scheme and its host are not known before its values are.
            Ok(Some(template)) if template.begins_with_value() => {}
            Ok(Some(template)) => check_url(kind, &template.sample()),
            Err(_) => {}
        }
    }
    let place = kind.place.key("headers");
    for (name, value) in entries(kind, "headers") {
        let place = place.key(&name);
        if name.is_empty() || !name.bytes().all(is_token) {
            let remedy = "use letters, digits and any of !#$%&'*+-.^_`|~";
            kind.faults
                .report(&place, "no header can have this name", remedy);
        }
        if value.chars().any(|it| it.is_control() && it != '\t') {
            let message = "no header can hold control characters";
            kind.faults
                .report(&place, message, "leave them out, line ends too");
        }
    }
}

fn check_url(kind: &Fields<'_, '_>, url: &str) {
    if url.is_empty() {
        return;
    }
    let scheme = url.split_once("://");
    let known = |scheme: &str| {
        ["http", "https"]
            .iter()
            .any(|it| scheme.eq_ignore_ascii_case(it))
    };
    let Some((_, rest)) = scheme.filter(|(scheme, _)| known(scheme)) else {
        let message = "the request's URL is neither of `http` nor of `https`";
        kind.fault("url", message, "begin it with http:// or https://");
        return;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.split(':').next().is_none_or(str::is_empty) {
        kind.fault(
            "url",
            "the request's URL names no host",
            "write the host after `://`",
        );
    }
    if let Some(odd) = url.chars().find(|it| it.is_control() || it.is_whitespace()) {
        let message = format!("no URL can hold the character U+{:04X}", u32::from(odd));
        kind.fault("url", message, "write it in percent, as in %20");
    }
}

/// Whether a header's name may hold this (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The texts of a list, and their indexes; what is none is told elsewhere.
fn texts<'a>(
    kind: &Fields<'a, '_>,
    name: &str,
) -> impl Iterator<Item = (usize, Cow<'a, str>)> + use<'a> {
    let list = kind.raw(name).filter(|json| json.starts_with('['));
    let each = list.into_iter().flat_map(elements).enumerate();
    each.filter_map(|(index, json)| Some((index, literal(json)?)))
}

/// The texts of an object, and their names; what is none is told elsewhere.
fn entries<'a>(
    kind: &Fields<'a, '_>,
    name: &str,
) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
    let object = kind.raw(name).filter(|json| json.starts_with('{'));
    let each = object.into_iter().flat_map(members);
    each.filter_map(|(name, json)| Some((name, literal(json)?)))
}

/// A text, with a letter in the place of each expression: what can be said of it before
/// the values are known. None where what it holds are no expressions.
fn literal(json: &str) -> Option<Cow<'_, str>> {
    let text: Cow<'_, str> = Read::read(json)?;
    match template(&text) {
        Ok(None) => Some(text),
        Ok(Some(template)) => Some(Cow::Owned(template.sample())),
        Err(_) => None,
    }
}

/// The text's expressions, if it has some. What is none is reported where the kind's
/// texts are read.
fn template(text: &str) -> Result<Option<TextTemplate>, SyntaxError> {
    TextTemplate::parse_of_payload(text, Roots::OF_KINDS, Insertion::Plain)
}
