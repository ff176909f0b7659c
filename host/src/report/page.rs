//! The file as a whole: the template, the style, the script, and the data.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::policy::policy;
use crate::escaped::escaped;
use crate::log::Timestamp;
use crate::time::rfc3339;

/// The script of a report, built from `host/web/report`. Its SHA-256 is what its content
/// policy names, and what the published package lists.
pub const SCRIPT: &str = include_str!("../../web/built/report.js");

/// The style of a report: that of its pictures, and the page's own behind it.
pub const STYLE: &str = concat!(
    include_str!("../../picture/src/style.css"),
    include_str!("../../web/report/style.css")
);

/// What is on the page before its script fills it.
const BODY: &str = include_str!("../../web/report/body.html");

/// What a browser that runs no scripts shows.
const WITHOUT_SCRIPT: &str = "<noscript><p>This report needs a browser that runs its script: the script has the scheduler decide everything again. Nothing leaves this file.</p></noscript>";

/// What a report holds of what executions were given and have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holds {
    /// All of it.
    Payloads,
    /// The names of its fields, with each value masked. The logs are without it.
    Masked,
    /// Nothing of it.
    Nothing,
}

/// What is in the file.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) made_at: Timestamp,
    pub(super) holds: Holds,
    pub(super) entries: Vec<Entry>,
    /// The lines of the components that the logs name, by their digests.
    pub(super) components: BTreeMap<String, String>,
}

/// An execution in a report.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) title: String,
    /// The export without components, packed.
    pub(super) log: String,
    /// The graph of its workflow, packed.
    pub(super) picture: Option<String>,
    /// The fields that its log is without, masked and packed.
    pub(super) masked: Option<String>,
    /// The digests of its components.
    pub(super) components: Vec<String>,
}

/// Writes the file.
pub(super) fn write<W: Write>(contents: &Contents, mut to: W) -> io::Result<W> {
    let title = match &contents.entries[..] {
        [one] => one.title.clone(),
        several => format!("{} executions", several.len()),
    };
    write!(
        to,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{BODY}{WITHOUT_SCRIPT}\n",
        policy(SCRIPT, STYLE),
        markup(&format!("{title}: Refrain report")),
    )?;
    block(
        &mut to,
        "application/json",
        "refrain-report",
        &listing(contents),
    )?;
    for (digest, line) in &contents.components {
        block(&mut to, "application/json", &component_id(digest), line)?;
    }
    for (place, entry) in contents.entries.iter().enumerate() {
        let parts = [
            ("log", Some(&entry.log)),
            ("picture", entry.picture.as_ref()),
            ("masked", entry.masked.as_ref()),
        ];
        for (name, data) in parts {
            if let Some(data) = data {
                block(&mut to, "text/plain", &part_id(name, place), data)?;
            }
        }
    }
    write!(to, "<script>{SCRIPT}</script>\n</body>\n</html>\n")?;
    to.flush()?;
    Ok(to)
}

/// A data block: no browser runs it, or reads markup in it but its end.
fn block(to: &mut impl Write, kind: &str, id: &str, data: &str) -> io::Result<()> {
    writeln!(to, "<script type=\"{kind}\" id=\"{id}\">{data}</script>")
}

fn component_id(digest: &str) -> String {
    format!("component-{digest}")
}

fn part_id(name: &str, place: usize) -> String {
    format!("{name}-{place}")
}

/// The list of what is in the file, as JSON that no markup stands in.
fn listing(contents: &Contents) -> String {
    let entries = contents.entries.iter().enumerate();
    let listing = json!({
        "made_by": concat!("Refrain ", env!("CARGO_PKG_VERSION")),
        "made_at": rfc3339(contents.made_at),
        "holds": match contents.holds {
            Holds::Payloads => "payloads",
            Holds::Masked => "masked",
            Holds::Nothing => "none",
        },
        "executions": entries.map(|(place, it)| listed(place, it)).collect::<Vec<_>>(),
    });
    listing.to_string().replace('<', "\\u003c")
}

fn listed(place: usize, entry: &Entry) -> Value {
    let mut listed = json!({
        "log": part_id("log", place),
        "components": entry.components.iter().map(|it| component_id(it)).collect::<Vec<_>>(),
    });
    if entry.picture.is_some() {
        listed["picture"] = part_id("picture", place).into();
    }
    if entry.masked.is_some() {
        listed["masked"] = part_id("masked", place).into();
    }
    listed
}

/// A text as markup has it.
fn markup(text: &str) -> String {
    let text = escaped(text);
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
