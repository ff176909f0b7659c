//! `refrain key`: the key with which anchors and attestations are signed.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context;
use refrain::signing::{PublicKey, Signer as _, SigningKey};
use serde_json::json;

use super::coded::{OrCoded, coded};
use super::keys::KeyFile;
use super::output::{self, Form};
use super::text::{Text, text};
use super::{Answer, keys};

/// Make a key for signing, or show the public part of one
///
/// The key is one of Ed25519, in a file as openssl has it. Who has the private key can
/// sign; the public one is for all who check what was signed.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a new key: a file that only you can read; one that is there is never overwritten
    New {
        #[command(flatten)]
        key: KeyFile,
        #[command(flatten)]
        form: Form,
    },
    /// Show the id of a key, and its public part, which others name with --trust
    Show {
        #[command(flatten)]
        key: KeyFile,
        #[command(flatten)]
        form: Form,
    },
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let (public, path, form) = match &arguments.command {
        Command::New { key, form } => {
            let path = key.needed()?;
            let public = new(path)?;
            output::say(&text!(
                "the private key is in {}; keep a copy of it where it cannot get lost, and show it to nobody",
                path
            ));
            (public, path, form)
        }
        Command::Show { key, form } => {
            let path = key.needed()?;
            (keys::either(path)?, path, form)
        }
    };
    let (id, pem) = (public.fingerprint(), public.to_pem());
    if form.json {
        output::document(
            &json!({ "key_id": id, "public_key": pem, "file": path.display().to_string() }),
        )?;
    } else {
        output::data(&text!("{}\n{}", id, Text::laid_out(&pem)));
    }
    Ok(Answer::Good)
}

/// Makes a key and writes it. Nothing is left of a file that could not be written.
fn new(path: &Path) -> anyhow::Result<PublicKey> {
    let pem = SigningKey::generate_pem()?;
    let public = SigningKey::from_pem(&pem)?.public_key();
    let place = path.display();
    let unwritable = || format!("cannot write the key to {place}");
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = match created {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let refused = coded(
                "key_exists",
                "it is there already, and a key is never overwritten; name another file, or move this one away",
            );
            return Err(refused).with_context(unwritable);
        }
        created => created.or_coded("key_unwritable", unwritable)?,
    };
    let written = file
        .write_all(pem.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        std::fs::remove_file(path).with_context(unwritable)?;
    }
    written.or_coded("key_unwritable", unwritable)?;
    Ok(public)
}
