//! Files that hold a key.
//!
//! A private key is treated as ssh treats one: if its file is ours, no other user may read
//! or write it, or it is not used. The permissions of a file that belongs to another user
//! are that user's decision.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use refrain::signing::{KeyError, PublicKey, Signer as _, SigningKey};

use super::coded::{coded, refuse};
use super::files;

/// The variable that names the file of a private key.
const VARIABLE: &str = "REFRAIN_KEY";

/// The file of a key.
#[derive(clap::Args)]
pub(super) struct KeyFile {
    /// The file of the private key: Ed25519 in PKCS#8, as `refrain key new` and `openssl
    /// genpkey -algorithm ed25519` write it
    #[arg(long, env = VARIABLE, value_name = "KEYFILE")]
    key: Option<PathBuf>,
}

impl KeyFile {
    /// The file, if one is named.
    pub(super) fn path(&self) -> Option<&Path> {
        self.key
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// The file, which must be named.
    pub(super) fn needed(&self) -> anyhow::Result<&Path> {
        self.path().ok_or_else(|| {
            coded(
                "usage",
                format!("no file is named for the key; name one with --key FILE, or in {VARIABLE}"),
            )
        })
    }
}

/// The public key of this file, which may be that of a private one.
pub(super) fn either(path: &Path) -> anyhow::Result<PublicKey> {
    let unused = || format!("cannot show the key in {}", path.display());
    let text = opened(path)
        .and_then(|file| files::key(&file))
        .with_context(unused)?;
    match PublicKey::from_pem(&text) {
        Ok(key) => Ok(key),
        Err(_) => Ok(private(path)?.public_key()),
    }
}

/// The private key of this file. A file that is no private key is reported as that, no
/// matter who may read it.
pub(super) fn private(path: &Path) -> anyhow::Result<SigningKey> {
    let unused = || format!("cannot sign with the key in {}", path.display());
    let file = opened(path).with_context(unused)?;
    let text = files::key(&file).with_context(unused)?;
    let key = read(path, SigningKey::from_pem(&text))?;
    not_for_others(&file).with_context(unused)?;
    Ok(key)
}

/// The public key of this file.
pub(super) fn public(path: &Path) -> anyhow::Result<PublicKey> {
    let text = opened(path)
        .and_then(|file| files::key(&file))
        .with_context(|| format!("cannot trust the key in {}", path.display()))?;
    read(path, PublicKey::from_pem(&text))
}

fn opened(path: &Path) -> anyhow::Result<File> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => coded("invalid_key", 
            "there is no such file; `refrain key new --key KEYFILE` writes a private key, `refrain key show --key KEYFILE > PUBLICKEY.pem` its public key (so do openssl's `genpkey -algorithm ed25519` and `pkey -pubout`)"
        ),
        _ => error.into(),
    })?;
    if file.metadata()?.is_dir() {
        refuse!("invalid_key", "it is a folder; name a file");
    }
    Ok(file)
}

fn read<T>(path: &Path, key: Result<T, KeyError>) -> anyhow::Result<T> {
    key.with_context(|| format!("the key in {} cannot be used", path.display()))
}

#[cfg(unix)]
fn not_for_others(file: &File) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = file.metadata()?;
    let is_mine = metadata.uid() == rustix::process::getuid().as_raw();
    let mode = metadata.mode() & 0o777;
    if is_mine && mode & 0o077 != 0 {
        refuse!(
            "invalid_key",
            "other users may read or write the file (its mode is {mode:04o}), so that they could sign with the key; `chmod 600` on it, if they have not read it yet, and else make a new key"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn not_for_others(_: &File) -> anyhow::Result<()> {
    Ok(())
}
