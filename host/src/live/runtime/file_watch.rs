//! When the engine's thread wakes, other than for a message.
//!
//! For time: the next due wake, lease end or not-before. For others' commits:
//! the store's file changes, and a few looks at the store's version follow,
//! because the change can be seen a moment before the commit can. And now and
//! then anyway, where no file watcher works. The log is never polled.
//!
//! The file is watched while the engine rests. One that is at work looks at the
//! version in each of its iterations; watched, each page that it writes would wake
//! another thread, to tell it what it knows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::inbox::{Inbox, Message};

/// How long after a change of the file to look at the version: a sync takes
/// from well below a millisecond to, on a busy disk, many seconds.
const LOOKS_AFTER: [Duration; 11] = [
    Duration::ZERO,
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// How long after its last turn an engine rests. Whatever others commit before
/// that is seen then, at the latest.
const AT_REST_AFTER: Duration = Duration::from_millis(20);

/// Wakes the engine's thread for what it is not told.
pub(crate) struct FileWatch {
    /// Notified, and the message not taken yet: one is enough.
    notified: Arc<AtomicBool>,
    folder: Option<Folder>,
    /// The last change of the file, and how many looks have followed.
    changed: Option<(Instant, usize)>,
}

impl FileWatch {
    /// Watch the folder of this file, if there is one.
    pub(crate) fn watching(file: Option<&Path>, inbox: &Inbox) -> Self {
        let notified = Arc::new(AtomicBool::new(false));
        let folder = file.and_then(|file| {
            Folder::of(file, notifier(&notified, inbox))
                .map_err(|error| unwatched(file, &error))
                .ok()
        });
        Self {
            notified,
            folder,
            changed: None,
        }
    }

    /// For an engine that is stepped by hand: nobody waits, so nobody is woken.
    pub(crate) fn never() -> Self {
        Self {
            notified: Arc::default(),
            folder: None,
            changed: None,
        }
    }

    /// A callback that notifies the engine's thread.
    pub(crate) fn notifier(&self, inbox: &Inbox) -> impl Fn() + Send + Sync + 'static {
        notifier(&self.notified, inbox)
    }

    /// A notification was taken from the inbox.
    pub(crate) fn on_notify(&mut self) {
        self.notified.store(false, Ordering::SeqCst);
        self.changed = Some((Instant::now(), 0));
    }

    /// The engine is about to write.
    pub(crate) fn at_work(&mut self) {
        if let Some(folder) = &mut self.folder {
            folder.leave();
        }
    }

    /// The store's version is about to be looked at.
    pub(crate) fn looks(&mut self) {
        match self.folder.as_mut().map(Folder::watch_if_at_rest) {
            // A change that began before the file was watched, and is committed later,
            // is heard of by nobody.
            Some(Ok(true)) => self.changed = Some((Instant::now(), 0)),
            Some(Ok(false)) | None => {}
            Some(Err(error)) => {
                if let Some(folder) = self.folder.take() {
                    unwatched(&folder.path, &error);
                }
            }
        }
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
        let after_change = self.changed.and_then(|(since, looks)| {
            let after = LOOKS_AFTER.get(looks)?;
            Some(after.saturating_sub(since.elapsed()))
        });
        let at_rest = self.folder.as_ref().and_then(Folder::until_rest);
        after_change.into_iter().chain(at_rest).min()
    }
}

/// The folder of the store's file, which is watched while the engine rests.
struct Folder {
    path: PathBuf,
    watcher: RecommendedWatcher,
    /// When the engine was last at work; none: it rests, and this is watched.
    worked: Option<Instant>,
}

impl Folder {
    /// The folder is watched, not the file: journals come and go next to it.
    fn of(file: &Path, on_change: impl Fn() + Send + 'static) -> notify::Result<Self> {
        let path = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut watcher = watcher(file, on_change)?;
        watcher.watch(path, RecursiveMode::NonRecursive)?;
        Ok(Self {
            path: path.to_owned(),
            watcher,
            worked: None,
        })
    }

    fn leave(&mut self) {
        if self.worked.replace(Instant::now()).is_none()
            && let Err(error) = self.watcher.unwatch(&self.path)
        {
            // Then it is told what it knows; that costs time, and does no harm.
            tracing::debug!("{} is still watched: {error}", self.path.display());
        }
    }

    /// Begins to watch, if the engine rests now. Answers whether it did.
    fn watch_if_at_rest(&mut self) -> notify::Result<bool> {
        let begins = self.until_rest().is_some_and(|left| left.is_zero());
        if begins {
            self.worked = None;
            self.watcher
                .watch(&self.path, RecursiveMode::NonRecursive)?;
        }
        Ok(begins)
    }

    /// How long until the engine is at rest; none: it is.
    fn until_rest(&self) -> Option<Duration> {
        Some(AT_REST_AFTER.saturating_sub(self.worked?.elapsed()))
    }
}

fn unwatched(place: &Path, error: &notify::Error) {
    tracing::warn!(
        "{} cannot be watched, its changes are noticed later: {error}",
        place.display()
    );
}

fn notifier(notified: &Arc<AtomicBool>, inbox: &Inbox) -> impl Fn() + Send + Sync + 'static {
    let (notified, inbox) = (Arc::clone(notified), inbox.clone());
    move || {
        if !notified.swap(true, Ordering::SeqCst) {
            // An engine that is gone needs no notification.
            let _ = inbox.send(Message::Notify);
        }
    }
}

/// Calls for whatever happens to the file, wherever it is told to watch.
fn watcher(
    file: &Path,
    on_change: impl Fn() + Send + 'static,
) -> notify::Result<RecommendedWatcher> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let ours = move |path: &PathBuf| {
        path.file_name()
            .is_some_and(|found| found.to_string_lossy().starts_with(&name))
    };
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let concerns_us = match &event {
            Ok(event) => !event.kind.is_access() && event.paths.iter().any(&ours),
            // Something was missed: have a look.
            Err(_) => true,
        };
        if concerns_us {
            on_change();
        }
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::live::values::callers::CallersMax;

    /// Somebody else's commit can be under way when the engine begins to watch the file:
    /// what of it was written before is announced by nothing, and is to be seen later.
    #[test]
    fn who_begins_to_watch_the_file_looks_for_what_was_about_to_be_committed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("refrain.db");
        std::fs::write(&file, "").expect("a file");
        let callers = CallersMax {
            callers: 1,
            bytes: 1,
        };
        let (inbox, _received) = Inbox::new(callers);
        let mut watch = FileWatch::watching(Some(&file), &inbox);
        assert_eq!(watch.until_look(), None, "it watches, and nothing happens");
        watch.at_work();
        let rests_after = watch.until_look().expect("it is to rest");
        thread::sleep(rests_after);
        watch.looks();
        let next = watch
            .until_look()
            .expect("it looks again, whatever it is told");
        assert!(next < LOOKS_AFTER[LOOKS_AFTER.len() - 1], "{next:?}");
    }
}
