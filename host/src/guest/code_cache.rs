//! Compiled guests, kept between runs in the user's cache folder.
//!
//! Machine code is run as it is found. It is therefore trusted only if no other user
//! could have put it there, and only if it is whole: the folder and the file belong to
//! the user and nobody else may write to them, and each file begins with a digest over
//! the code, the component that it was compiled from, and the compiler with its
//! settings. The digest finds damage and mixed-up files. It does not keep out a person
//! who may write as this user, because that person can do anything that this program
//! can.
//!
//! The cache can be missing: then each start compiles anew.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::limits::{CODE_CACHE_BYTES_MAX, CODE_FILE_BYTES_MAX};
use crate::log::digest::hex;

/// The beginning of each file. The digest follows, then the code.
const MAGIC: &[u8; 16] = b"refrain code 01\n";
const DIGEST_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + DIGEST_BYTES;

/// The age of a file's time of last use at which it is renewed.
const USED_STEP: Duration = Duration::from_secs(24 * 60 * 60);

/// The age at which a file that is being written counts as left behind.
const UNFINISHED_MAX: Duration = Duration::from_secs(60 * 60);

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct CodeCache {
    folder: PathBuf,
}

/// The key of a file: a digest over the component and the compiler.
#[derive(Clone, Copy)]
pub(super) struct Key([u8; DIGEST_BYTES]);

impl Key {
    /// The code of the component with this digest in this engine.
    pub(super) fn new(engine: &Engine, component_digest: &str) -> Self {
        // Of wasmtime's version, the target and all settings.
        let mut compiler = Collected(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut compiler);
        let key = Sha256::new()
            .chain_update(MAGIC)
            .chain_update(compiler.0.finalize())
            .chain_update(component_digest)
            .finalize();
        Self(key.into())
    }

    /// The bytes that stand before this code in a file.
    fn digest(&self, code: &[u8]) -> [u8; DIGEST_BYTES] {
        Sha256::new()
            .chain_update(self.0)
            .chain_update(code)
            .finalize()
            .into()
    }
}

/// A hasher that feeds SHA-256, because a hash of 64 bits would be too short.
struct Collected(Sha256);

impl Hasher for Collected {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// The reason why there is no code in a file.
enum Miss {
    /// There is no file.
    Absent,
    /// The file is not as it was written, or was not written by this program.
    Bad(String),
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            _ => Self::Bad(error.to_string()),
        }
    }
}

impl CodeCache {
    /// The user's cache folder, if there is one that can be trusted.
    pub(super) fn of_the_user() -> Option<Self> {
        let folder = user_folder()?.join("refrain").join("code");
        Self::at(folder)
            .inspect_err(|error| {
                tracing::warn!(
                    "compiled guests are not kept between runs, and each run compiles them anew: {error}; \
                     XDG_CACHE_HOME can name another folder to keep them in"
                );
            })
            .ok()
    }

    /// This folder, which is made if it is not there. `None` if it cannot be trusted.
    pub(super) fn at(folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| io::Error::other(format!("{}: {error}", folder.display())))?;
        let only_ours = fs::symlink_metadata(&folder)?;
        if !only_ours.is_dir() || !is_only_ours(&only_ours) {
            return Err(io::Error::other(format!(
                "the folder {} belongs to somebody else, or others may write to it; make it yours alone with `chmod 700`, or remove it",
                folder.display()
            )));
        }
        Ok(Self { folder })
    }

    /// The component, from its code. A bad file counts as none.
    pub(super) fn load(&self, engine: &Engine, key: Key) -> Option<Component> {
        let path = self.path(key);
        match read(&path, key).and_then(|file| deserialize(engine, &file)) {
            Ok(component) => Some(component),
            Err(Miss::Absent) => None,
            Err(Miss::Bad(problem)) => {
                tracing::warn!(
                    "the compiled guest in {} is not used, and is compiled anew: {problem}",
                    path.display()
                );
                None
            }
        }
    }

    /// Keeps a component's code, in place of what is there.
    pub(super) fn keep(&self, key: Key, component: &Component) {
        let kept = component
            .serialize()
            .map_err(|error| io::Error::other(format!("{error:#}")))
            .and_then(|code| self.write(key, &code))
            .and_then(|()| self.prune(CODE_CACHE_BYTES_MAX));
        if let Err(error) = kept {
            tracing::info!(
                "a compiled guest is not kept in {}: {error}",
                self.folder.display()
            );
        }
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(hex(&key.0))
    }

    /// Writes the whole file under another name, and then gives it its own, so that
    /// other processes see the former file or this one.
    fn write(&self, key: Key, code: &[u8]) -> io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        if code.len() > CODE_FILE_BYTES_MAX {
            return Err(io::Error::other("it is too large"));
        }
        let unfinished = self.folder.join(format!(
            "{}.{}.{}{UNFINISHED}",
            hex(&key.0),
            std::process::id(),
            WRITTEN.fetch_add(1, Ordering::Relaxed)
        ));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| {
                file.write_all(MAGIC)?;
                file.write_all(&key.digest(code))?;
                file.write_all(code)
            })
            .and_then(|()| fs::rename(&unfinished, self.path(key)));
        if written.is_err() {
            // The file may never have been made.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Removes the files that were used longest ago, until the rest is within the bound,
    /// and half-written files of processes that died.
    fn prune(&self, bytes_max: u64) -> io::Result<()> {
        let now = file_time();
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Another process may have removed it.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let used = metadata.modified()?;
            let age = now.duration_since(used).unwrap_or_default();
            let unfinished = entry.file_name().to_string_lossy().ends_with(UNFINISHED);
            if unfinished && age > UNFINISHED_MAX {
                remove(&entry.path())?;
            } else if !unfinished && metadata.is_file() {
                files.push((used, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        // The newest stays: it has just been written.
        files.pop();
        for (_, len, path) in files {
            if bytes <= bytes_max {
                break;
            }
            remove(&path)?;
            bytes -= len;
        }
        Ok(())
    }
}

/// The ending of the names of files that are being written.
const UNFINISHED: &str = ".unfinished";

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a whole file, and checks that its code was written for this key.
fn read(path: &Path, key: Key) -> Result<Vec<u8>, Miss> {
    let mut file = OpenOptions::new()
        .read(true)
        // No link is followed, and no pipe is waited for.
        .custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_only_ours(&metadata) {
        return Err(Miss::Bad(
            "it belongs to somebody else, or others may write to it".to_owned(),
        ));
    }
    if metadata.len() > (HEADER_BYTES + CODE_FILE_BYTES_MAX) as u64 {
        return Err(Miss::Bad("it is too large".to_owned()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    let (magic, rest) = bytes.split_at_checked(MAGIC.len()).unwrap_or_default();
    let (digest, code) = rest.split_at_checked(DIGEST_BYTES).unwrap_or_default();
    if magic != MAGIC || digest != key.digest(code) {
        return Err(Miss::Bad(
            "it is not what was written there for this component and compiler".to_owned(),
        ));
    }
    used_now(&file, &metadata);
    Ok(bytes)
}

/// The time for files of the cache, of which it shows only the age.
#[expect(
    clippy::disallowed_methods,
    reason = "the file system's time is not the log's, and no log depends on it"
)]
fn file_time() -> SystemTime {
    SystemTime::now()
}

/// Files are removed by the time of their last use, which need not be exact.
fn used_now(file: &File, metadata: &fs::Metadata) {
    let now = file_time();
    let fresh = metadata
        .modified()
        .is_ok_and(|used| now.duration_since(used).unwrap_or_default() < USED_STEP);
    if !fresh {
        // At worst the component is compiled once more one day.
        let _ = file.set_modified(now);
    }
}

#[expect(
    unsafe_code,
    reason = "compiled code cannot be loaded in another way, and this is the code that was kept"
)]
fn deserialize(engine: &Engine, file: &[u8]) -> Result<Component, Miss> {
    let code = file.get(HEADER_BYTES..).unwrap_or_default();
    // SAFETY: these very bytes, in memory and not on the disk, have the digest
    // that was written when `Component::serialize` made them, in a file and a
    // folder of this user that no other user may write to. A process that can forge that
    // can write as this user, and so could replace this program.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| Miss::Bad(format!("{error:#}")))
}

/// Whether it belongs to this user, and nobody else may write to it.
fn is_only_ours(metadata: &fs::Metadata) -> bool {
    const OTHERS_WRITE: u32 = 0o022;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & OTHERS_WRITE == 0
}

/// The folder of this user's caches.
fn user_folder() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let in_home = if cfg!(target_os = "macos") {
        "Library/Caches"
    } else {
        ".cache"
    };
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(in_home)))
}

#[cfg(test)]
mod tests;
