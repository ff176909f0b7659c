//! Simulations: they run in a file next to the database, and every command that looks
//! looks into both.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, event, tool};

/// The files that are there, but for those that SQLite keeps next to a database.
fn files(desk: &Desk) -> Vec<String> {
    let mut files = desk.files();
    files.retain(|file| !file.ends_with("-wal") && !file.ends_with("-shm"));
    files
}

/// Runs a workflow whose only node is for a worker that nobody runs. Answers the id of
/// the simulated execution.
fn simulated(desk: &Desk) -> String {
    desk.file("tool.json", chain(&[("work", tool())]).to_string());
    let run = desk.document(
        &["run", "tool.json", "--simulate", "--key", "k", "--json"],
        0,
    );
    assert_eq!(run["status"], "completed");
    run["execution_id"].as_str().expect("an id").to_owned()
}

/// The same workflow for real, with the same key, which waits for its worker.
fn real(desk: &Desk) -> String {
    let mut running = desk.begins(&["run", "tool.json", "--key", "k"]);
    running.says("waits");
    running.interrupt();
    let said = running.ends();
    let list = desk.document(&["list", "--status", "running", "--json"], 0);
    let id = list["executions"][0]["execution_id"].as_str();
    id.unwrap_or_else(|| panic!("it runs: {said:?}")).to_owned()
}

fn of_two() -> (Desk, String, String) {
    let desk = Desk::new();
    let simulated = simulated(&desk);
    let real = real(&desk);
    (desk, simulated, real)
}

#[test]
fn a_simulation_leaves_the_database_alone() {
    let desk = Desk::new();
    let id = simulated(&desk);
    assert_eq!(files(&desk), ["refrain.db.sim", "tool.json"]);
    // That there is nothing else is no reason to find nothing.
    for words in [
        &["show", &id][..],
        &["log", &id],
        &["list"],
        &["audit", &id],
        &["audit", "--all"],
        &["export", &id],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        assert!(
            said.out.contains("completed") || said.out.contains("clean"),
            "{said:?}"
        );
    }
    assert_eq!(files(&desk), ["refrain.db.sim", "tool.json"]);
    let resumed = desk.types(&["resume"]);
    assert_eq!(resumed.code, Some(2), "{resumed:?}");
    assert!(
        resumed.err.contains("there is no database at refrain.db;"),
        "{resumed:?}"
    );
}

#[test]
fn commands_that_look_look_into_both_and_mark_what_is_simulated() {
    let (desk, simulated, real) = of_two();
    assert_ne!(simulated, real, "the same key begins one in each");
    let list = desk.document(&["list", "--json"], 0);
    let executions = list["executions"].as_array().expect("a list");
    let listed: Vec<(&Value, &Value)> = executions
        .iter()
        .map(|it| (&it["execution_id"], &it["simulated"]))
        .collect();
    assert_eq!(
        listed,
        [
            (&json!(real), &json!(false)),
            (&json!(simulated), &json!(true))
        ]
    );
    let lines = desk.types(&["list"]).out;
    let marked: Vec<bool> = lines
        .lines()
        .skip(1)
        .map(|it| it.contains("simulated"))
        .collect();
    assert_eq!(marked, [false, true], "{lines}");
    let shown = desk.types(&["show", &simulated]);
    assert!(shown.out.contains("completed, simulated"), "{shown:?}");
    let shown = desk.types(&["show", &real]);
    assert!(!shown.out.contains("simulated"), "{shown:?}");
    for (id, it_is) in [(&simulated, true), (&real, false)] {
        let shown = desk.document(&["show", id, "--json"], 0);
        assert_eq!(shown["simulated"], it_is);
        let started = &desk.events(id)[0];
        assert_eq!(started["simulated"], it_is, "{started}");
        assert_eq!(desk.types(&["explain", id, "work"]).code, Some(0));
    }
    let audit = desk.types(&["audit", "--all"]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    assert_eq!(audit.out.matches("clean").count(), 2, "{audit:?}");
    let audit = desk.types(&["audit", &real, &simulated]);
    assert_eq!(audit.out.matches("clean").count(), 2, "{audit:?}");
    let nobody = "exec_00000000000040008000000000000000";
    for words in [
        &["show", nobody][..],
        &["audit", nobody],
        &["cancel", nobody],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("there is no execution"), "{said:?}");
    }
}

#[test]
fn a_simulated_execution_is_told_things_and_goes_on_simulated() {
    let desk = Desk::new();
    let workflow = chain(&[("ask", approval()), ("hear", event()), ("work", tool())]);
    desk.file("ask.json", workflow.to_string());
    let mut running = desk.begins(&["run", "ask.json", "--simulate"]);
    let id = desk.execution();
    running.says("approv");
    running.interrupt();
    let said = running.ends();
    let resume = format!("refrain resume {id}");
    assert!(said.err.contains(&resume), "{said:?}");
    let told = desk.types(&["approve", &id, "ask"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(files(&desk), ["ask.json", "refrain.db.sim"]);
    // All simulated ones go on only if that is asked for, and then no others.
    let resumed = desk.document(&["resume", "--simulate", "--json"], 0);
    assert_eq!(resumed["executions"][0]["execution_id"], id);
    assert_eq!(resumed["executions"][0]["status"], "running");
    let upgraded = desk.types(&["upgrade", "--all", "--dry-run"]);
    assert_eq!(upgraded.code, Some(0), "{upgraded:?}");
    let told = desk.types(&["signal", &id, "key", "{}"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let resumed = desk.document(&["resume", &id, "--json"], 0);
    assert_eq!(resumed["executions"][0]["status"], "completed");
    assert_eq!(files(&desk), ["ask.json", "refrain.db.sim"]);
    let erased = desk.types(&["erase", &id]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    let audit = desk.types(&["audit", "--all"]);
    assert!(audit.out.contains("erased"), "{audit:?}");
}

#[test]
fn real_work_and_simulations_keep_to_their_files() {
    let (desk, simulated, real) = of_two();
    // What is resumed for real is none of the simulated ones, and the other way round.
    let resumed = desk.document(&["resume", "--simulate", "--json"], 0);
    assert_eq!(resumed["executions"], json!([]));
    let resumed = desk.document(&["resume", "--json"], 0);
    assert_eq!(resumed["executions"][0]["execution_id"], real);
    assert_eq!(resumed["executions"].as_array().map(Vec::len), Some(1));
    let both = desk.types(&["resume", &real, &simulated, "--simulate"]);
    assert_eq!(both.code, Some(2), "{both:?}");
    // A file is of one kind, whatever it is called.
    let run = |words: &[&str]| {
        let said = desk.types(&[&["run", "tool.json"][..], words].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
        said.err
    };
    let refused = run(&["--db", "refrain.db.sim"]);
    assert!(refused.contains("keeps simulated executions") && refused.contains("--simulate"));
    std::fs::copy(desk.path().join("refrain.db"), desk.path().join("x.sim")).expect("a copy");
    let refused = run(&["--db", "x", "--simulate"]);
    assert!(
        refused.contains("x.sim keeps executions of real time"),
        "{refused}"
    );
    let shown = desk.types(&["show", &simulated, "--db", "refrain.db.sim"]);
    assert!(shown.out.contains("completed, simulated"), "{shown:?}");
}

/// Who names the file of the simulations does not get simulations of simulations.
#[test]
fn nothing_is_simulated_beside_the_file_of_the_simulations() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    let simulated = desk.types(&["run", "w.json", "--simulate"]);
    assert_eq!(simulated.code, Some(0), "{simulated:?}");
    for words in [
        &["run", "w.json", "--simulate"][..],
        &["resume", "--simulate"],
    ] {
        let said = desk.types(&[words, &["--db", "refrain.db.sim"]].concat());
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
    }
    let files = desk.files();
    assert!(
        !files.iter().any(|name| name.contains(".sim.sim")),
        "{files:?}"
    );
}

#[test]
fn a_backup_says_that_it_leaves_simulations_out() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let whole = desk.types(&["backup", "one.db"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert!(!whole.err.contains("left out"), "{whole:?}");
    assert_eq!(desk.types(&["run", "w.json", "--simulate"]).code, Some(0));
    let backup = desk.types(&["backup", "two.db"]);
    assert_eq!(backup.code, Some(0), "{backup:?}");
    let to_type = "refrain backup two.db.sim --db refrain.db.sim";
    assert!(
        backup
            .err
            .contains("refrain.db.sim, in which simulations run, is left out")
            && backup.err.contains(to_type),
        "{backup:?}"
    );
    let document = desk.document(&["backup", "three.db", "--json"], 0);
    assert_eq!(document["left_out"], "refrain.db.sim");
    // What it says to type does it.
    let words: Vec<&str> = to_type.split(' ').skip(1).collect();
    assert_eq!(desk.types(&words).code, Some(0));
    let list = desk.document(&["list", "--db", "two.db", "--json"], 0);
    assert_eq!(list["executions"].as_array().map(Vec::len), Some(2));
}
