//! When the engine's thread wakes, other than for a message.
//!
//! For time: the next due wake, lease end or not-before. For others' commits:
//! the store's file changes, and a few looks at the store's version follow,
//! because the change can be seen a moment before the commit can. And now and
//! then anyway, where no file watcher works. The log is never polled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::link::{Link, Message};

/// How long after a change of the file to look at the version: a sync takes
/// from well below a millisecond to, on a busy disk, seconds.
const LOOKS_AFTER: [Duration; 9] = [
    Duration::ZERO,
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Wakes the engine's thread for what it is not told.
pub(crate) struct Wake {
    /// Nudged, and not heard yet: one message is enough.
    nudged: Arc<AtomicBool>,
    /// Kept alive: it stops when it is dropped.
    _watcher: Option<RecommendedWatcher>,
    /// The last change of the file, and how many looks have followed.
    changed: Option<(Instant, usize)>,
}

impl Wake {
    /// Watch the folder of this file, if there is one.
    pub(crate) fn watching(file: Option<&Path>, link: &Link) -> Self {
        let nudged = Arc::new(AtomicBool::new(false));
        let watcher = file.and_then(|file| {
            watch(file, nudger(&nudged, link))
                .map_err(|error| {
                    tracing::warn!(
                        "{} cannot be watched, its changes are noticed later: {error}",
                        file.display()
                    );
                })
                .ok()
        });
        Self {
            nudged,
            _watcher: watcher,
            changed: None,
        }
    }

    /// For an engine that is stepped by hand: nobody waits, so nobody is woken.
    pub(crate) fn never() -> Self {
        Self {
            nudged: Arc::default(),
            _watcher: None,
            changed: None,
        }
    }

    /// A callback that nudges the engine's thread.
    pub(crate) fn nudger(&self, link: &Link) -> impl Fn() + Send + Sync + 'static {
        nudger(&self.nudged, link)
    }

    /// A nudge was heard.
    pub(crate) fn heard(&mut self) {
        self.nudged.store(false, Ordering::SeqCst);
        self.changed = Some((Instant::now(), 0));
    }

    /// The store's version is being looked at, now.
    pub(crate) fn looked(&mut self) {
        if let Some((since, _)) = self.changed {
            let passed = since.elapsed();
            let looks = LOOKS_AFTER
                .iter()
                .take_while(|after| **after <= passed)
                .count();
            self.changed = (looks < LOOKS_AFTER.len()).then_some((since, looks));
        }
    }

    /// How long until the next look.
    pub(crate) fn until_look(&self) -> Option<Duration> {
        let (since, looks) = self.changed?;
        Some(LOOKS_AFTER.get(looks)?.saturating_sub(since.elapsed()))
    }
}

fn nudger(nudged: &Arc<AtomicBool>, link: &Link) -> impl Fn() + Send + Sync + 'static {
    let (nudged, link) = (Arc::clone(nudged), link.clone());
    move || {
        if !nudged.swap(true, Ordering::SeqCst) {
            // An engine that is gone needs no nudge.
            let _ = link.tell(Message::Nudge);
        }
    }
}

/// The folder is watched, not the file: journals come and go beside it.
fn watch(file: &Path, nudge: impl Fn() + Send + 'static) -> notify::Result<RecommendedWatcher> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let ours = move |path: &std::path::PathBuf| {
        path.file_name()
            .is_some_and(|found| found.to_string_lossy().starts_with(&name))
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let concerns_us = match &event {
            Ok(event) => !event.kind.is_access() && event.paths.iter().any(&ours),
            // Something was missed: have a look.
            Err(_) => true,
        };
        if concerns_us {
            nudge();
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
