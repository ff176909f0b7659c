//! How a command leaves its engine: in peace, or at once where somebody asks for that.

use std::pin::pin;
use std::time::Duration;

use refrain::{Engine, EngineError};
use tokio::time::sleep;

use super::act;
use super::progress::Progress;
use super::stop_signals::StopSignals;
use super::text::text;

/// How long leaving takes before it is said why.
const LEAVE_SAID_AFTER: Duration = Duration::from_millis(500);

/// The engine's workers finish what they are at. Where all that was watched
/// is done, that is work for others, who have begun meanwhile, and programs of attempts that
/// are over, which have been told to stop. The error says why
/// the engine had ended before.
pub(super) async fn leave(
    engine: &Engine,
    is_interrupted: bool,
    signals: &mut StopSignals,
    progress: &mut Progress,
) -> Result<(), EngineError> {
    let mut left = pin!(engine.shutdown());
    let mut said = is_interrupted;
    loop {
        tokio::select! {
            () = &mut left => return engine.ended().await,
            () = signals.next() => {
                stop(engine).await;
                return Ok(());
            }
            () = act::unheard(engine), if is_interrupted => return Ok(()),
            () = sleep(LEAVE_SAID_AFTER), if !said => {
                said = true;
                progress.say(&text!(
                    "done; what has begun here and has not ended is waited for: programs that were told to stop, and work for other executions; press Ctrl-C to stop it now"
                ));
            }
        }
    }
}

/// Stop the engine, or leave it in the middle of a call that takes long.
pub(super) async fn stop(engine: &Engine) {
    tokio::select! {
        () = engine.stop() => {}
        () = act::unheard(engine) => {}
    }
}
