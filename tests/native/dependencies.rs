//! How much there is to build: the crates of the smallest useful library, the packages of
//! the lock file, and one TLS stack.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;

use refrain_tests::component::workspace;

/// The crates of the library with the store in a file and nothing else, itself included.
const SQLITE_ONLY_MAX: usize = 115;
/// The packages in the lock file: on all platforms, with all tests.
const LOCKED_MAX: usize = 380;

/// What brings a second TLS stack, or a second implementation of its ciphers.
const OTHER_TLS: [&str; 9] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "mbedtls",
    "native-tls",
    "openssl",
    "openssl-sys",
    "tokio-native-tls",
    "wolfssl",
];

/// The crates that are compiled for the library with these features, on this machine.
fn crates(features: &str) -> BTreeSet<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "--locked", "--package", "refrain"])
        .args(["--no-default-features", "--features", features])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .current_dir(workspace())
        .output()
        .expect("cargo starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8_lossy(&output.stdout);
    // A name and a version, and whatever else cargo has to say of it.
    let named = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    lines
        .lines()
        .map(named)
        .filter(|it| !it.is_empty())
        .collect()
}

/// The packages of the lock file: their names, and all that stands there of each.
fn locked() -> Vec<(String, String)> {
    let lock = fs::read_to_string(workspace().join("Cargo.lock")).expect("the lock file");
    let packages = lock.split("[[package]]").skip(1);
    let named = |package: &str| {
        let name = package.split('"').nth(1).expect("a package has a name");
        (name.to_owned(), package.to_owned())
    };
    packages.map(named).collect()
}

#[test]
fn the_library_with_its_file_alone_is_small() {
    let crates = crates("sqlite");
    assert!(crates.iter().any(|it| it.starts_with("rusqlite ")));
    let count = crates.len();
    assert!(
        count <= SQLITE_ONLY_MAX,
        "{count} crates, and {SQLITE_ONLY_MAX} may be: {crates:#?}"
    );
}

#[test]
fn what_a_feature_is_for_is_built_with_it_alone() {
    for (feature, brings) in [
        ("cli", "clap "),
        ("compile", "cranelift-codegen "),
        ("http", "rustls "),
        ("sqlite", "rusqlite "),
    ] {
        let has = |features| crates(features).iter().any(|it| it.starts_with(brings));
        assert!(has(feature), "{feature} brings no {brings}");
        assert!(!has(""), "{brings}is built without {feature}");
    }
}

#[test]
fn the_lock_file_is_bounded() {
    let count = locked().len();
    assert!(
        count <= LOCKED_MAX,
        "Cargo.lock has {count} packages, and {LOCKED_MAX} may be"
    );
}

#[test]
fn there_is_one_tls_stack() {
    let locked = locked();
    let other: Vec<_> = locked
        .iter()
        .filter(|(name, _)| OTHER_TLS.contains(&&**name))
        .collect();
    assert!(other.is_empty(), "{other:?}");
    let rustls: Vec<_> = locked.iter().filter(|(name, _)| name == "rustls").collect();
    let [(_, rustls)] = &*rustls else {
        panic!("{rustls:?}")
    };
    assert!(rustls.contains("\"ring\""), "{rustls}");
}
