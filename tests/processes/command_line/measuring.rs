//! `refrain bench`: what it says, and that it leaves nothing behind. How fast
//! anything is, is not asked here.

use serde_json::Value;

use crate::command_line::desk::{Desk, Said};

/// The figures of each measure, by the keys that programs rely on.
const FIGURES: &[(&str, &[&str])] = &[
    (
        "linear",
        &[
            "linear_steps_per_s",
            "linear_floor_ratio",
            "fdatasync_us_p50",
            "bytes_per_step",
        ],
    ),
    ("fanout", &["fanout_steps_per_s", "fanout_floor_ratio"]),
    (
        "http",
        &[
            "http_steps_per_s",
            "http_floor_steps_per_s",
            "http_floor_ratio",
            "http_latency_ms_p50",
            "http_cpu_us_per_step",
            "http_floor_cpu_us_per_step",
        ],
    ),
    (
        "command",
        &[
            "command_latency_ms_p50",
            "command_floor_ms_p50",
            "command_floor_ratio",
        ],
    ),
    (
        "latency",
        &[
            "latency_ms_p50",
            "latency_ms_p99",
            "latency_commits_per_step",
            "latency_above_syncs_ms_p50",
        ],
    ),
    ("memory", &["memory_steps_per_s"]),
    ("replay", &["replay_events_per_s"]),
    ("tick", &["tick_ns_p50", "tick_ns_p99"]),
    ("start", &["start_ms"]),
    ("idle", &["rss_bytes_live"]),
];

/// So little that it is done at once.
const LITTLE: [&str; 5] = ["--executions", "2", "--nodes", "3", "--json"];

#[test]
fn each_measure_says_its_figures_and_no_others() {
    let desk = Desk::new();
    for (measure, keys) in FIGURES {
        let report = desk.document(&words("bench", measure), 0);
        has(&report, keys);
        for (other, keys) in FIGURES.iter().filter(|(other, _)| other != measure) {
            for key in *keys {
                assert_eq!(report[*key], Value::Null, "{measure} says {key} of {other}");
            }
        }
        assert_eq!(desk.files(), [""; 0], "{measure}");
    }
}

#[test]
fn all_says_all_figures() {
    let desk = Desk::new();
    let report = desk.document(&words("bench", "all"), 0);
    for (_, keys) in FIGURES {
        has(&report, keys);
    }
    // So few take no page of memory more.
    assert!(
        report["rss_bytes_per_idle_execution"].is_number(),
        "{report}"
    );
    let series = report["scale"].as_array().expect("a list");
    let sizes = ["nodes", "executions", "events"];
    for (point, size) in series.iter().zip(sizes) {
        has(point, &[size, "ns_per_step"]);
    }
    assert_eq!(series.len(), sizes.len(), "{report}");
    assert_eq!(report["store"], "sqlite");
    assert_eq!(report["durability"], "full");
    assert_eq!(desk.files(), [""; 0]);
}

#[test]
fn scale_goes_up_to_what_is_asked_for() {
    let desk = Desk::new();
    let typed = [
        "bench",
        "scale",
        "--nodes",
        "20",
        "--executions",
        "30",
        "--json",
    ];
    let report = desk.document(&typed, 0);
    let series = report["scale"].as_array().expect("a list");
    let of = |size: &str| -> Vec<u64> {
        series
            .iter()
            .filter_map(|point| point[size].as_u64())
            .collect()
    };
    assert_eq!(of("nodes"), [10, 20]);
    assert_eq!(of("executions"), [10, 30]);
    assert_eq!(of("events"), [100, 200]);
    has(
        &report,
        &[
            "scale_nodes_ratio",
            "scale_executions_ratio",
            "scale_events_ratio",
        ],
    );
}

#[test]
fn a_table_is_for_people() {
    let desk = Desk::new();
    let said = desk.types(&["bench", "linear", "--executions", "2", "--nodes", "3"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut lines = said.out.lines();
    let head = lines.next().unwrap_or_default();
    assert!(
        head.starts_with("FIGURE") && head.ends_with("OF THE FLOOR"),
        "{said:?}"
    );
    let chains = lines.next().unwrap_or_default();
    assert!(
        chains.starts_with("chains ") && chains.ends_with('%'),
        "{said:?}"
    );
}

#[test]
fn in_memory_there_is_no_disk_to_speak_of() {
    let desk = Desk::new();
    let mut typed = words("bench", "all");
    typed.extend(["--store", "memory"]);
    let report = desk.document(&typed, 0);
    has(
        &report,
        &[
            "linear_steps_per_s",
            "fanout_steps_per_s",
            "http_steps_per_s",
            "memory_steps_per_s",
        ],
    );
    for key in [
        "linear_floor_ratio",
        "fdatasync_us_p50",
        "bytes_per_step",
        "durability",
    ] {
        assert_eq!(report[key], Value::Null, "{key}");
    }
}

#[test]
fn less_safe_is_said() {
    let desk = Desk::new();
    let mut typed = words("bench", "linear");
    typed.extend(["--durability", "normal"]);
    assert_eq!(desk.document(&typed, 0)["durability"], "normal");
    let help = desk.types(&["bench", "--help"]).out;
    assert!(help.contains("a power cut may take the last"), "{help}");
}

#[test]
fn it_measures_where_it_is_told_and_touches_nothing_there() {
    let desk = Desk::new();
    desk.file("refrain.db", "mine");
    let mut typed = words("bench", "linear");
    typed.extend(["--dir", "."]);
    desk.document(&typed, 0);
    assert_eq!(desk.files(), ["refrain.db"]);
    assert_eq!(
        std::fs::read(desk.path().join("refrain.db")).expect("it is there"),
        b"mine"
    );
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let desk = Desk::new();
    desk.file("file", "");
    let table: [(&[&str], &str); 8] = [
        (&["bench", "sideways"], "invalid value 'sideways'"),
        (&["bench", "linear", "--executions", "0"], "--executions"),
        (&["bench", "linear", "--nodes", "0"], "--nodes"),
        (&["bench", "linear", "--nodes", "ten"], "--nodes"),
        (&["bench", "--durability", "none"], "full, normal"),
        (
            &["bench", "latency", "--store", "memory"],
            "leave out `--store memory`",
        ),
        (
            &["bench", "linear", "--dir", "nowhere"],
            "name another with --dir DIR",
        ),
        (
            &["bench", "linear", "--dir", "file"],
            "name another with --dir DIR",
        ),
    ];
    for (typed, expected) in table {
        let Said { code, out, err } = desk.types(typed);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{typed:?}: {err}");
        assert!(err.contains(expected), "{typed:?}: {err}");
    }
    assert_eq!(desk.files(), ["file"]);
}

#[test]
fn an_interrupted_one_leaves_nothing_behind() {
    let desk = Desk::new();
    let bench = desk.begins(&["bench", "linear", "--executions", "100000"]);
    desk.until("it has a folder with a database", || {
        let folder = desk.files().into_iter().next()?;
        desk.path()
            .join(folder)
            .join("linear/bench.db")
            .exists()
            .then_some(())
    });
    bench.interrupt();
    let said = bench.ends();
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert_eq!(desk.files(), [""; 0]);
}

fn words<'a>(command: &'a str, measure: &'a str) -> Vec<&'a str> {
    [command, measure].into_iter().chain(LITTLE).collect()
}

/// All of these are there, and more than nothing.
fn has(report: &Value, keys: &[&str]) {
    for key in keys {
        let value = report[*key].as_f64();
        assert!(value.is_some_and(|value| value > 0.0), "{key} in {report}");
    }
}
