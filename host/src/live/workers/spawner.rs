//! The thread that starts programs.
//!
//! Linux kills a child with its parent if the child asks for it, and takes the
//! *thread* that started the child for its parent. The threads of an async
//! runtime come and go, so all programs are started by one thread that lives
//! as long as the process.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::orphans::start_own;
use super::program::Program;
use super::programs::Programs;

/// A program that is to be started.
struct Order {
    command: Command,
    programs: Arc<Programs>,
    runtime: Handle,
    started: oneshot::Sender<io::Result<Program>>,
}

/// Starts a program in a session of its own. It is stopped when this process
/// ends, however it ends, where the system can do that (Linux).
pub(super) async fn start(mut command: Command, programs: &Arc<Programs>) -> io::Result<Program> {
    in_its_own_session(&mut command);
    let (started, program) = oneshot::channel();
    let order = Order {
        command,
        programs: Arc::clone(programs),
        runtime: Handle::current(),
        started,
    };
    let gone = || io::Error::other("the thread that starts programs has ended");
    thread()?.send(order).map_err(|_| gone())?;
    program.await.unwrap_or_else(|_| Err(gone()))
}

/// The thread's inbox. The thread is made when it is first needed.
fn thread() -> io::Result<mpsc::Sender<Order>> {
    static INBOX: Mutex<Option<mpsc::Sender<Order>>> = Mutex::new(None);
    let mut inbox = INBOX.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(inbox) = &*inbox {
        return Ok(inbox.clone());
    }
    let (to, orders) = mpsc::channel();
    thread::Builder::new()
        .name("refrain-spawner".to_owned())
        .spawn(move || orders.iter().for_each(carry_out))?;
    Ok(inbox.insert(to).clone())
}

fn carry_out(order: Order) {
    let Order {
        mut command,
        programs,
        runtime,
        started,
    } = order;
    let entered = runtime.enter();
    // Tokio panics where the runtime has no IO driver.
    let child = catch_unwind(AssertUnwindSafe(|| start_own(|| command.spawn())))
        .unwrap_or_else(|_| Err(io::Error::other("the Tokio runtime has no IO enabled")));
    let program = child.map(|(child, own)| Program::new(child, own, programs.enter(), &runtime));
    // Nobody waits for it any more: it is stopped as it is dropped.
    drop(started.send(program));
    drop(entered);
}

/// A session of its own has no terminal: what asks there (for a password, say)
/// gets an error instead of waiting for an answer that nobody can give. Its
/// leader leads a process group too.
#[expect(
    unsafe_code,
    reason = "the standard library has no stable way to start a session"
)]
fn in_its_own_session(command: &mut Command) {
    let parent = rustix::process::getpid();
    let begin = move || {
        rustix::process::setsid()?;
        ends_with(parent)
    };
    // SAFETY: between fork and exec only system calls are made, and nothing is
    // allocated or locked.
    unsafe { command.pre_exec(begin) };
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn ends_with(parent: rustix::process::Pid) -> io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before this was asked for.
    if getppid() == Some(parent) {
        Ok(())
    } else {
        Err(rustix::io::Errno::CANCELED.into())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn ends_with(_: rustix::process::Pid) -> io::Result<()> {
    Ok(())
}
