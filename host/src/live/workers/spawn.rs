//! How a program is started: in a session of its own, with three pipes.
//!
//! A session of its own has no terminal: what asks there (for a password, say)
//! gets an error instead of waiting for an answer that nobody can give. Its
//! leader leads a process group too, by which all of it can be told to end.
//!
//! The standard library starts a session only by code that runs between fork
//! and exec, and forking a process that holds an engine copies its page tables,
//! and then page after page that it writes to: five times as long, as measured.
//! So `posix_spawn` is called here, which shares the memory until the exec. The
//! price: a program cannot ask the system to be killed with its parent.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::{env, ptr};

use libc::c_char;
use rustix::fs::{Access, access};
use rustix::pipe::PIPE_BUF;
use rustix::process::Pid;

use super::program_pipe::ProgramPipe;

/// What is to be started.
pub(super) struct Start<'a> {
    pub(super) program: &'a str,
    pub(super) arguments: &'a [String],
    /// Where; in the folder of this process unless said.
    pub(super) folder: Option<&'a str>,
    /// What it reads from its stdin.
    pub(super) input: &'a str,
    /// Variables on top of those of this process.
    pub(super) env: BTreeMap<&'a str, String>,
    /// Whether it is not given this variable of this process, by name and value.
    pub(super) is_hidden: fn(&OsStr, &OsStr) -> bool,
}

/// What was started, and our ends of its pipes.
pub(super) struct Spawned {
    pub(super) pid: Pid,
    /// Where its input goes; `None` if all of it is there.
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: ProgramPipe,
    pub(super) stderr: ProgramPipe,
}

impl Start<'_> {
    pub(super) fn spawn(&self) -> io::Result<Spawned> {
        let program = c_string(self.place_of_program())?;
        let mut arguments = Texts::default();
        arguments.add(&[self.program])?;
        for argument in self.arguments {
            arguments.add(&[argument])?;
        }
        let env = self.variables()?;
        let folder = self.folder.map(c_string).transpose()?;

        let (stdin, to_it) = stdin_with(self.input)?;
        let (from_it, stdout) = io::pipe()?;
        let (errors_from_it, stderr) = io::pipe()?;
        // Nothing can fail any more when the program has begun.
        let (from_it, errors_from_it) = (
            ProgramPipe::new(from_it.into())?,
            ProgramPipe::new(errors_from_it.into())?,
        );
        let actions = FileActions::new(folder.as_deref(), &stdin, &stdout, &stderr)?;
        let pid = spawn(&program, &actions, &Attributes::new()?, arguments, env)?;
        Ok(Spawned {
            pid,
            stdin: to_it,
            stdout: from_it,
            stderr: errors_from_it,
        })
    }

    /// The program's file, where the node has a `PATH` of its own: the system
    /// would look in that of this process.
    fn place_of_program(&self) -> OsString {
        let written = OsString::from(self.program);
        let Some(path) = self.env.get("PATH").filter(|_| !self.program.contains('/')) else {
            return written;
        };
        let places = env::split_paths(path).map(|folder| folder.join(self.program));
        let from = self.folder.unwrap_or(".");
        let fits = |place: &std::path::PathBuf| {
            let place = Path::new(from).join(place);
            place.is_file() && access(&place, Access::EXEC_OK).is_ok()
        };
        // One that is nowhere must not be found by another `PATH`.
        let place = places.into_iter().find(fits);
        place.map_or_else(|| Path::new("./").join(written).into(), Into::into)
    }

    fn variables(&self) -> io::Result<Texts> {
        let mut variables = Texts::default();
        for (name, value) in env::vars_os() {
            let replaced = name
                .to_str()
                .is_some_and(|name| self.env.contains_key(name));
            if !replaced && !(self.is_hidden)(&name, &value) {
                variables.add(&[name.as_bytes(), b"=", value.as_bytes()])?;
            }
        }
        for (name, value) in &self.env {
            variables.add(&[name, "=", value])?;
        }
        Ok(variables)
    }
}

/// The pipe of a program's input: the program's end, and ours unless all of the input
/// stands in it.
fn stdin_with(input: &str) -> io::Result<(PipeReader, Option<OwnedFd>)> {
    let (stdin, mut to_it) = io::pipe()?;
    // An empty pipe takes as much without anybody who reads it.
    if input.len() > PIPE_BUF {
        return Ok((stdin, Some(to_it.into())));
    }
    to_it.write_all(input.as_bytes())?;
    Ok((stdin, None))
}

fn c_string(text: impl Into<OsString>) -> io::Result<CString> {
    // A NUL in it is an input that is not valid.
    Ok(CString::new(text.into().into_vec())?)
}

/// Texts that each end with a NUL, one behind the other.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Texts {
    /// One more, of these parts.
    fn add(&mut self, parts: &[impl AsRef<[u8]>]) -> io::Result<()> {
        self.starts.push(self.bytes.len());
        for part in parts {
            let part = part.as_ref();
            if part.contains(&0) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "an argument or a variable has a NUL in it",
                ));
            }
            self.bytes.extend_from_slice(part);
        }
        self.bytes.push(0);
        Ok(())
    }

    /// Pointers to them, and the null that ends the list.
    fn pointers(&mut self) -> Vec<*mut c_char> {
        let bytes = self.bytes.as_mut_ptr();
        let pointers = self
            .starts
            .iter()
            .map(|start| bytes.wrapping_add(*start).cast());
        pointers.chain([ptr::null_mut()]).collect()
    }
}

/// What the system does in the new process before the program begins.
struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    #[expect(unsafe_code, reason = "the system's interface is C")]
    fn new(
        folder: Option<&std::ffi::CStr>,
        stdin: &PipeReader,
        stdout: &PipeWriter,
        stderr: &PipeWriter,
    ) -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is handed, and is the first to.
        let mut actions = unsafe {
            done(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Self(actions.assume_init())
        };
        let pipes = [
            (stdin.as_raw_fd(), 0),
            (stdout.as_raw_fd(), 1),
            (stderr.as_raw_fd(), 2),
        ];
        for (pipe, number) in pipes {
            // SAFETY: the actions are initialised.
            done(unsafe {
                libc::posix_spawn_file_actions_adddup2(&raw mut actions.0, pipe, number)
            })?;
        }
        if let Some(folder) = folder {
            // SAFETY: the actions are initialised, and the path is copied.
            done(unsafe {
                libc::posix_spawn_file_actions_addchdir_np(&raw mut actions.0, folder.as_ptr())
            })?;
        }
        Ok(actions)
    }
}

impl Drop for FileActions {
    #[expect(unsafe_code, reason = "the system's interface is C")]
    fn drop(&mut self) {
        // SAFETY: they were initialised, and nobody uses them after this.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// How the new process is set up: a session of its own, no signal blocked, and
/// the one that Rust ignores as it was before.
struct Attributes(libc::posix_spawnattr_t);

#[cfg(not(target_vendor = "apple"))]
const SETSID: i32 = libc::POSIX_SPAWN_SETSID as i32;
#[cfg(target_vendor = "apple")]
const SETSID: i32 = 0x0400;

impl Attributes {
    #[expect(unsafe_code, reason = "the system's interface is C")]
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        let flags = SETSID | libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let flags = flags.try_into().map_err(io::Error::other)?;
        // SAFETY: each value is initialised by the first call that it is handed
        // to, and lives as long as it is used.
        unsafe {
            done(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            let mut attributes = Self(attributes.assume_init());
            let mut set = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            done(libc::posix_spawnattr_setsigmask(
                &raw mut attributes.0,
                set.as_ptr(),
            ))?;
            libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
            done(libc::posix_spawnattr_setsigdefault(
                &raw mut attributes.0,
                set.as_ptr(),
            ))?;
            done(libc::posix_spawnattr_setflags(&raw mut attributes.0, flags))?;
            Ok(attributes)
        }
    }
}

impl Drop for Attributes {
    #[expect(unsafe_code, reason = "the system's interface is C")]
    fn drop(&mut self) {
        // SAFETY: they were initialised, and nobody uses them after this.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

#[expect(unsafe_code, reason = "the system's interface is C")]
fn spawn(
    program: &CString,
    actions: &FileActions,
    attributes: &Attributes,
    mut arguments: Texts,
    mut env: Texts,
) -> io::Result<Pid> {
    let (argument_list, env_list) = (arguments.pointers(), env.pointers());
    let mut pid: libc::pid_t = 0;
    // SAFETY: both lists end with a null, their texts with a NUL, and all that
    // is pointed to lives until the call returns.
    done(unsafe {
        libc::posix_spawnp(
            &raw mut pid,
            program.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            argument_list.as_ptr(),
            env_list.as_ptr(),
        )
    })?;
    Pid::from_raw(pid).ok_or_else(|| io::Error::other("the program has no process id"))
}

/// These calls return their error.
fn done(code: i32) -> io::Result<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(code))
    }
}
