//! What somebody can do about something, as a command to type.

use refrain::id::ExecutionId;
use refrain::model::Remedy;
use refrain::{ErrorRemedy, queues};

use super::database::Database;
use super::text::{Text, text};

/// What to type, behind what was said: each in a line of its own, but for one that stands
/// alone.
pub(super) fn lines(remedies: &[Remedy], execution: ExecutionId, database: &Database) -> Text {
    let texts = each(remedies, execution, database);
    match remedies.len() {
        1 => texts.map(|it| text!(": {}", it)).collect(),
        _ => texts.map(|it| text!("\n  {}", it)).collect(),
    }
}

/// What to type, and what comes of it: for each remedy a command, or a sentence where no
/// command of this program does it.
pub(super) fn each(
    remedies: &[Remedy],
    execution: ExecutionId,
    database: &Database,
) -> impl Iterator<Item = Text> {
    // A stall of the host cannot be cancelled; one on a budget can.
    let is_budget = remedies.contains(&Remedy::Cancel);
    remedies.iter().map(move |it| match it {
        Remedy::Lift if is_budget => text!(
            "`{}` goes on without that budget",
            database.command("resume", &[execution.to_string()])
        ),
        it => one(it, execution, database),
    })
}

fn one(remedy: &Remedy, execution: ExecutionId, database: &Database) -> Text {
    let id = execution.to_string();
    let (verb, word, effect) = match remedy {
        Remedy::Approve(node) => ("approve", Some(node), "approves it"),
        Remedy::Signal(key) => ("signal", Some(key), "sends it"),
        Remedy::Retry(node) => ("retry", Some(node), "tries again"),
        Remedy::Skip(node) => ("skip", Some(node), "goes on without it"),
        Remedy::Lift => return lifts(&id, database),
        Remedy::Unpause => ("unpause", None, "ends the pause"),
        Remedy::Cancel => ("cancel", None, "gives up"),
        Remedy::StartWorker(queue) if queues::BUILT_IN.contains(&queue.as_str()) => {
            ("resume", None, "works on it")
        }
        Remedy::StartWorker(queue) => {
            return text!("`{}` works on it", database.command_to_serve(queue));
        }
        _ => return text!("a newer program knows what helps"),
    };
    let words = [Some(id.as_str()), word.map(String::as_str)];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    text!("`{}` {}", database.command(verb, &words), effect)
}

/// What lifts a stall of the host. The scheduler has failed, so perhaps another one has
/// to take over before.
fn lifts(id: &str, database: &Database) -> Text {
    text!(
        "`{}` lifts the stall, once that is mended; if its scheduler is at fault, `{}` hands it to that of this program before",
        database.command("resume", &[id]),
        database.command("upgrade", &[id])
    )
}

/// What helps against an error.
pub(super) fn of_error(remedy: ErrorRemedy, database: &Database) -> Text {
    let one = |verb, id: ExecutionId| database.command(verb, &[id.to_string()]);
    match remedy {
        ErrorRemedy::ListExecutions => text!(
            "`{}` shows the executions that there are",
            database.command::<&str>("list", &[])
        ),
        ErrorRemedy::ShowNodes(id) => text!("`{}` lists its nodes", one("show", id)),
        ErrorRemedy::Fork(id) => text!(
            "`{}` makes another one that goes on from before",
            one("fork", id)
        ),
        ErrorRemedy::Pause(id) => text!("`{}` pauses it; then try again", one("pause", id)),
        ErrorRemedy::Audit(id) => text!("`{}` says what is wrong with it", one("audit", id)),
        ErrorRemedy::CheckAnew(id) => text!("`{}` checks it anew", one("resume", id)),
        ErrorRemedy::Upgrade => text!(
            "`{}` hands an execution to the scheduler of this program",
            database.command("upgrade", &["EXECUTION"])
        ),
        ErrorRemedy::GiveGuest => text!("give its component with `--guest FILE.wasm`"),
        ErrorRemedy::CreateStore => {
            text!("name another with --db PATH, or begin one with `refrain run`")
        }
        ErrorRemedy::RestoreBackup => text!(
            "`{}` puts a backup in its place; without one, `{}` and `{}` still read what can be read",
            database.command("restore", &["BACKUP"]),
            database.command::<&str>("list", &[]),
            database.command("export", &["EXECUTION"])
        ),
        ErrorRemedy::BringUpToDate => text!(
            "`{}` brings it up to date",
            database.command::<&str>("resume", &[])
        ),
        _ => text!("a newer program knows what helps"),
    }
}

/// What helps where a file holds no heads.
pub(super) fn of_anchors(database: &Database) -> Text {
    text!(
        "give what `{}`, `refrain show --json` or `refrain export` wrote",
        database.command("list --json", &[""; 0])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remedy_is_a_command_or_says_who_helps() {
        let id = ExecutionId::from_bytes([7; 16]);
        let database = Database::at("d");
        #[rustfmt::skip]
        let table = [
            (Remedy::Approve("a b".into()), "`refrain approve ID 'a b' --db d` approves it"),
            (Remedy::Signal("-k".into()), "`refrain signal ID --db d -- -k` sends it"),
            (Remedy::Retry("a".into()), "`refrain retry ID a --db d` tries again"),
            (Remedy::Skip("a`b".into()), "`refrain skip ID 'a`b' --db d` goes on without it"),
            (Remedy::Lift, "`refrain resume ID --db d` lifts the stall, once that is mended; if its scheduler is at fault, `refrain upgrade ID --db d` hands it to that of this program before"),
            (Remedy::Unpause, "`refrain unpause ID --db d` ends the pause"),
            (Remedy::Cancel, "`refrain cancel ID --db d` gives up"),
            (Remedy::StartWorker("http".into()), "`refrain resume ID --db d` works on it"),
            (Remedy::StartWorker("tool".into()), "`refrain work --worker tool=PROGRAM --db d` works on it"),
        ];
        for (remedy, expected) in table {
            let said = lines(std::slice::from_ref(&remedy), id, &database);
            let said = said.as_str().replace(&id.to_string(), "ID");
            assert_eq!(said, format!(": {expected}"));
        }
        assert!(lines(&[], id, &database).is_empty());
        let two = lines(&[Remedy::Unpause, Remedy::Cancel], id, &database);
        let two: Vec<&str> = two.as_str().lines().map(str::trim_start).collect();
        assert_eq!(two.len(), 3, "{two:?}");
        assert!(two[1].ends_with("ends the pause"), "{two:?}");
        assert!(two[2].starts_with("`refrain cancel"), "{two:?}");
    }

    #[test]
    fn each_remedy_of_an_error_is_something_to_type() {
        let id = ExecutionId::from_bytes([7; 16]);
        let database = Database::at("d");
        #[rustfmt::skip]
        let table = [
            (ErrorRemedy::ListExecutions, "`refrain list --db d` shows the executions that there are"),
            (ErrorRemedy::ShowNodes(id), "`refrain show ID --db d` lists its nodes"),
            (ErrorRemedy::Fork(id), "`refrain fork ID --db d` makes another one that goes on from before"),
            (ErrorRemedy::Pause(id), "`refrain pause ID --db d` pauses it; then try again"),
            (ErrorRemedy::Audit(id), "`refrain audit ID --db d` says what is wrong with it"),
            (ErrorRemedy::CheckAnew(id), "`refrain resume ID --db d` checks it anew"),
            (ErrorRemedy::Upgrade, "`refrain upgrade EXECUTION --db d` hands an execution to the scheduler of this program"),
            (ErrorRemedy::GiveGuest, "give its component with `--guest FILE.wasm`"),
            (ErrorRemedy::CreateStore, "name another with --db PATH, or begin one with `refrain run`"),
            (ErrorRemedy::RestoreBackup, "`refrain restore BACKUP --db d` puts a backup in its place; without one, `refrain list --db d` and `refrain export EXECUTION --db d` still read what can be read"),
            (ErrorRemedy::BringUpToDate, "`refrain resume --db d` brings it up to date"),
        ];
        for (remedy, expected) in table {
            let said = of_error(remedy, &database);
            assert_eq!(said.as_str().replace(&id.to_string(), "ID"), expected);
        }
    }
}
