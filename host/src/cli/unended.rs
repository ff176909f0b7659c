//! What is said of executions that have not ended when the program leaves them: until when
//! they have to wait, and what goes on with them.

use refrain::model::Status;
use refrain::names;
use refrain::store::Timestamp;

use super::database::Database;
use super::judgement::rests_until;
use super::output;
use super::seen::Seen;
use super::text::{Text, text};
use super::time::stamp;
use super::watch::Watch;
use super::workers::Served;

/// Executions that are named one by one.
const NAMED_MAX: usize = 5;

/// Those that can be gone on with.
fn unended(watch: &Watch) -> impl Iterator<Item = &Seen> {
    watch
        .seen()
        .filter(|seen| !seen.ended() && !seen.is_damaged())
}

/// Says until when each has to wait, and how it goes on then.
pub(super) fn say_until_when_they_wait(watch: &Watch, served: &Served, database: &Database) {
    let waiting: Vec<(&Seen, Timestamp)> = unended(watch)
        .filter_map(|seen| {
            let until = rests_until(seen, &watch.children(seen), served, watch.now(seen));
            Some((seen, until?))
        })
        .collect();
    for (seen, at) in waiting.iter().take(NAMED_MAX) {
        let id = seen.record.id;
        output::say(&text!(
            "{} has nothing to do before {}; to go on then: {}",
            id,
            stamp(*at),
            database.command("resume", &[id.to_string()])
        ));
    }
    let more = waiting.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        let resume = resume_all(watch.is_simulated());
        output::say(&text!(
            "and {} more have to wait; to go on with all then: {}",
            more,
            database.command::<String>(resume, &[])
        ));
    }
}

/// Says what goes on with each.
pub(super) fn say_how_to_resume(watch: &Watch, database: &Database) {
    for seen in unended(watch).take(NAMED_MAX) {
        let (id, status) = (seen.record.id, names::status(seen.record.status));
        let command = |verb| database.command(verb, &[id.to_string()]);
        let first = match seen.record.status {
            // Nothing else brings it further.
            Status::Paused => text!("{}, then ", command("unpause")),
            _ => Text::new(),
        };
        output::say(&text!(
            "{} is {}; to go on with it: {}{}",
            id,
            status,
            first,
            command("resume")
        ));
    }
    let more = unended(watch).count().saturating_sub(NAMED_MAX);
    if more > 0 {
        let resume = resume_all(watch.is_simulated());
        output::say(&text!(
            "and {} more have not ended; to go on with all: {}",
            more,
            database.command::<String>(resume, &[])
        ));
    }
}

/// What goes on with all executions of real, or of simulated, time.
pub(super) fn resume_all(simulated: bool) -> &'static str {
    if simulated {
        "resume --simulate"
    } else {
        "resume"
    }
}
