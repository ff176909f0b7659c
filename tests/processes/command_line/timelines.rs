//! `refrain timeline`: where the time of an execution went.

use std::fs;

use refrain_tests::golden::sets;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said, approval, chain, command};

/// The timeline of a golden log, whose times never change.
fn of_golden(desk: &Desk, name: &str, words: &[&str]) -> Said {
    let set = sets().expect("golden logs").pop().expect("one set");
    let entry = set.logs.iter().find(|entry| entry.name == name);
    let text = set.text(entry.expect("this log")).expect("its text");
    desk.file("golden.ndjson", text);
    let file = ["timeline", "--file", "golden.ndjson"];
    let said = desk.types(&[&file[..], words].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

/// The lines behind the first two, which name the execution and the time.
fn chart(said: &Said) -> String {
    let lines = said.out.lines().skip(3);
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_chart_shows_work_and_waits_and_the_critical_path() {
    let desk = Desk::new();
    let approved = of_golden(&desk, "approved", &[]);
    assert_eq!(
        chart(&approved),
        "          ---------------------------------------------------------      600 ms
* draft   #######################                                        250 ms
* review                         ??????????                              100 ms
* publish                                  ########################      250 ms

# work   ? waits for a person

the critical path (*) took 600 ms:
  500 ms work (83 %)
  100 ms waits for a person (16 %)
it leads over 3 nodes:
  250 ms draft
  100 ms review
  250 ms publish
"
    );
}

#[test]
fn time_without_work_is_folded_and_instances_stand_in_the_row_of_their_map() {
    let desk = Desk::new();
    let timer = of_golden(&desk, "timer", &["--width", "40"]);
    assert_eq!(
        chart(&timer),
        "    //---------------------  1 min 01 s
* t ::                       1 min 01 s
* a   #####################      250 ms

# work   : waits for a time
// stands for time in which nobody was at work: 1 min 01 s

the critical path (*) took 1 min 01 s:
  1 min 01 s waits for a time (99 %)
  250 ms work (less than 1 %)
it leads over 2 nodes:
  1 min 01 s t
  250 ms a
"
    );
    let expanded = of_golden(&desk, "expanded", &["--width", "60"]);
    assert_eq!(
        chart(&expanded),
        "        ---------------------------------------       2.6 s
* list  ###                                          250 ms
* m (4)    ############~~~~~~~~~~~.....####           2.1 s
* after                                    ####      250 ms

# work   ~ back-off   . in its queue

the critical path (*) took 2.6 s:
  1.2 s work (48 %)
  1.0 s back-off (38 %)
  350 ms in its queue (13 %)
it leads over 3 nodes:
  250 ms list
  2.1 s m[0]
  250 ms after
"
    );
}

#[test]
fn no_chart_is_wider_than_it_may_be() {
    let desk = Desk::new();
    let sets = sets().expect("golden logs");
    for set in &sets {
        for entry in &set.logs {
            for width in [40, 80, 132] {
                let said = of_golden(&desk, &entry.name, &["--width", &width.to_string()]);
                // The rows stand between two lines that are empty.
                let rows = said.out.lines().skip(3).take_while(|line| !line.is_empty());
                let longest = rows.map(|line| line.chars().count()).max().unwrap_or(0);
                assert!(longest <= width, "{} {width}: {said:?}", entry.name);
            }
        }
    }
    let narrow = desk.types(&["timeline", "--file", "golden.ndjson", "--width", "39"]);
    assert_eq!(narrow.code, Some(2), "{narrow:?}");
}

#[test]
fn programs_read_the_same() {
    let desk = Desk::new();
    let said = of_golden(&desk, "approved", &["--json"]);
    let document: Value = serde_json::from_str(&said.out).expect("a document");
    assert_eq!(document["took_ms"], 600);
    assert_eq!(document["spent_ms"], json!({ "person": 100, "work": 500 }));
    assert_eq!(document["idle_ms"], 0);
    assert_eq!(
        document["nodes"][1],
        json!({
            "node_id": "review",
            "state": "completed",
            "since": "2023-11-14T22:13:20.250Z",
            "ended_at": "2023-11-14T22:13:20.350Z",
            "spans": [{
                "activity": "person",
                "from": "2023-11-14T22:13:20.250Z",
                "until": "2023-11-14T22:13:20.350Z",
            }],
        })
    );
    assert_eq!(
        document["critical_path"][2],
        json!({
            "node_id": "publish",
            "from": "2023-11-14T22:13:20.350Z",
            "until": "2023-11-14T22:13:20.600Z",
            "held_ms": 0,
            "spent_ms": { "work": 250 },
        })
    );
}

#[test]
fn a_log_that_is_erased_cut_or_goes_on_has_a_timeline_too() {
    let desk = Desk::new();
    let ended = chain(&[
        ("say", command(&["echo", "{}"])),
        ("then", command(&["echo", "{}"])),
    ]);
    desk.file("w.json", ended.to_string());
    let run = desk.document(&["run", "w.json", "--json"], 0);
    let id = run["execution_id"].as_str().expect("an id").to_owned();
    let before = desk.types(&["timeline", &id]);
    assert_eq!(before.code, Some(0), "{before:?}");
    let export = desk.types(&["export", &id, "-o", "log.ndjson"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let erased = desk.types(&["erase", &id]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    let after = desk.types(&["timeline", &id]);
    assert_eq!(chart(&after), chart(&before));
    assert!(after.out.contains("completed, erased"), "{after:?}");

    let text = fs::read_to_string(desk.path().join("log.ndjson")).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    desk.file("cut.ndjson", lines[..5].join("\n") + "\n");
    let cut = desk.types(&["timeline", "--file", "cut.ndjson"]);
    assert_eq!(cut.code, Some(1), "{cut:?}");
    assert!(
        cut.out.contains("* say ") && cut.err.contains("event 5 is missing"),
        "{cut:?}"
    );
    desk.file(
        "broken.ndjson",
        format!("{}\nno event\n", lines[..5].join("\n")),
    );
    let broken = desk.types(&["timeline", "--file", "broken.ndjson"]);
    assert_eq!(broken.code, Some(2), "{broken:?}");
    assert!(broken.out.contains("* say "), "{broken:?}");

    let waiting = chain(&[("ask", approval()), ("then", command(&["echo", "{}"]))]);
    desk.file(
        "w2.json",
        waiting.to_string().replace("\"chain\"", "\"other\""),
    );
    let started = desk.types(&["start", "w2.json"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let running = desk.types(&["timeline", "@last"]);
    assert_eq!(running.code, Some(0), "{running:?}");
    assert!(
        running.out.contains(" so far\n") && running.out.contains("? waits for a person"),
        "{running:?}"
    );
}
