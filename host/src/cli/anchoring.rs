//! The anchors of an audit: the heads that were noted before, and those that it notes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::LogClock;
use refrain::log::{Anchor, Head};
use refrain::replay::{Anchors, Audit, SignatureCheck};
use refrain::signing::{PublicKey, Signer as _, SigningKey};

use super::coded::{OrCoded, refuse};
use super::keys::KeyFile;
use super::output;
use super::text::{counted, text};
use super::{files, keys};

/// What is said of anchors.
#[derive(clap::Args)]
pub(super) struct AnchoringArguments {
    /// Heads that were noted before: what --write-anchors, `refrain list --json` or
    /// `refrain export` wrote. A log that lost its end since is found by them
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Note the head of each log that is good at the end of this file, one a line, signed
    /// with --key. What stands in it already counts as --anchors does. Keep the file where
    /// the database is not
    #[arg(long, value_name = "FILE")]
    write_anchors: Option<PathBuf>,
    #[command(flatten)]
    key: KeyFile,
}

/// The anchors that an audit goes by, and the file for new ones.
pub(super) struct Anchoring {
    known: Anchors,
    /// Whether there were any to go by.
    has_anchors: bool,
    to: Option<(PathBuf, File)>,
    key: Option<SigningKey>,
}

impl AnchoringArguments {
    /// Reads what was noted, and opens the file for what will be: an audit can take long,
    /// and must not end with a file that cannot be written.
    pub(super) fn open(&self) -> anyhow::Result<Anchoring> {
        let mut known = Anchors::default();
        let mut has_anchors = self.anchors.is_some();
        if let Some(path) = &self.anchors {
            known = read(path)?;
        }
        let to = match &self.write_anchors {
            Some(path) => {
                let file = opened(path)?;
                // Without a line, there is nothing to go by.
                if file.metadata()?.len() > 0 && self.anchors.as_ref() != Some(path) {
                    known = known.and(read(path)?);
                    has_anchors = true;
                }
                Some((path.clone(), file))
            }
            None => None,
        };
        let key = match (has_anchors || to.is_some(), self.key.path()) {
            (true, Some(path)) => Some(keys::private(path)?),
            _ => None,
        };
        Ok(Anchoring {
            known,
            has_anchors,
            to,
            key,
        })
    }
}

impl Anchoring {
    /// What was noted before.
    pub(super) fn anchors(&self) -> &Anchors {
        &self.known
    }

    /// Whether anything was given to go by.
    pub(super) fn has_anchors(&self) -> bool {
        self.has_anchors
    }

    /// Our own key, whose word we trust.
    pub(super) fn key(&self) -> Option<PublicKey> {
        self.key.as_ref().map(SigningKey::public_key)
    }

    /// Whether what the anchors say of a log can be believed: no signature is forged, and
    /// where a key of ours is known, none is of another.
    pub(super) fn holds_for(&self, audit: &Audit) -> bool {
        match audit.anchor.as_ref().map(|it| &it.signature) {
            Some(SignatureCheck::Bad { .. }) => false,
            Some(SignatureCheck::Trusted { .. }) | None => true,
            Some(_) => self.key.is_none(),
        }
    }

    /// Notes the heads of all logs that are good, unless they stand there already.
    pub(super) fn write<'a>(&self, audits: impl Iterator<Item = &'a Audit>) -> anyhow::Result<()> {
        let Some((path, file)) = &self.to else {
            return Ok(());
        };
        let at = LogClock::system().now();
        let (mut lines, mut count, mut left) = (String::new(), 0, 0);
        for audit in audits {
            let Some((id, head)) = self.head_of(audit) else {
                left += 1;
                continue;
            };
            if self.known.holds(id, head, self.key().as_ref()) {
                continue;
            }
            let anchor = Anchor {
                execution_id: id,
                head,
                at,
                signature: None,
            };
            let anchor = match &self.key {
                Some(key) => anchor.sign(key)?,
                None => anchor,
            };
            lines.push_str(&anchor.to_json());
            lines.push('\n');
            count += 1;
        }
        append(file, &lines).or_coded("anchors_unwritable", || {
            format!("cannot append to the anchors {}", path.display())
        })?;
        let signed = match self.key() {
            Some(key) => text!("signed with the key {}", key.fingerprint()),
            None => text!("not signed (--key KEYFILE signs them)"),
        };
        let heads = counted(count, "anchor");
        output::say(&text!("{} added to {}, {}", heads, path, signed));
        if left > 0 {
            output::say(&text!(
                "{} not noted, because their audit is not good",
                counted(left, "head")
            ));
        }
        Ok(())
    }

    /// What is to be noted of a log. `None` if nothing good can be said of it.
    fn head_of(&self, audit: &Audit) -> Option<(refrain::ExecutionId, Head)> {
        let is_good = audit.verdict.is_good() && self.holds_for(audit);
        let id = audit.execution_id.as_deref().filter(|_| is_good)?;
        let head = Head {
            sequence: audit.events,
            hash: audit.head?.0,
        };
        Some((id.parse().ok()?, head))
    }
}

fn read(path: &Path) -> anyhow::Result<Anchors> {
    let place = path.display();
    let text = files::anchors(path)?;
    Anchors::read(&text, &place.to_string())
        .with_context(|| format!("{place} cannot be used for anchors"))
}

/// The file, to be appended to; it is made if it is not there.
fn opened(path: &Path) -> anyhow::Result<File> {
    let unwritable = || format!("cannot append to the anchors {}", path.display());
    // A pipe would be waited for.
    let is_there = fs::metadata(path).ok();
    if is_there.is_some_and(|it| !it.is_file()) {
        refuse!(
            "anchors_unwritable",
            "{}: it is no file; name a file that may be there or not",
            unwritable()
        );
    }
    let options = OpenOptions::new().append(true).create(true).clone();
    options
        .open(path)
        .or_coded("anchors_unwritable", unwritable)
}

/// All of it, or nothing: half a line would make the file unreadable.
fn append(mut file: &File, lines: &str) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    file.lock()?;
    let length = file.metadata()?.len();
    let written = file
        .write_all(lines.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        file.set_len(length)?;
    }
    file.unlock()?;
    written
}
