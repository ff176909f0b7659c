//! Mounts that only the test sees: a process in a namespace of its own holds
//! them, and what enters the namespace finds them. No rights are needed where
//! the kernel lets anybody make user namespaces, as most do.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use refrain_tests::binary;

/// A namespace, for as long as this lives.
pub(crate) struct Namespace {
    holder: Child,
}

impl Namespace {
    /// A namespace in which this shell script has mounted something on the
    /// folder, its `$0`; or why there is none on this machine.
    pub(crate) fn mounting(script: &str, folder: &Path) -> Result<Self, String> {
        // It lives until its stdin ends, so also when this test is killed.
        let script = format!("{script} && echo mounted && exec cat");
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare does not start: {error}"))?;
        let mut line = String::new();
        if let Some(out) = holder.stdout.take() {
            BufReader::new(out)
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
        }
        if line == "mounted\n" {
            return Ok(Self { holder });
        }
        drop(holder.stdin.take());
        let output = holder
            .wait_with_output()
            .map_err(|error| error.to_string())?;
        Err(binary::stderr(&output))
    }

    /// `refrain` within the namespace, in no folder of its own.
    pub(crate) fn refrain(&self) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--preserve-credentials", "--user", "--mount", "--target"])
            .arg(self.holder.id().to_string())
            .arg("--")
            .arg(binary::path())
            .env_remove("RUST_LOG")
            .env("NO_COLOR", "1");
        command
    }

    /// A file of the namespace, as it is reached from outside.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Already gone is just as well.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
