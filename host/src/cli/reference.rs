//! The page `docs/command-line.md`: the reference of all commands, made from what reads
//! their arguments. A test compares the two; `cargo renew-reference` writes the page.

use std::path::PathBuf;
use std::{env, fs};

use clap::{Arg, ArgAction, Command, CommandFactory};

/// The words of the page before the first command.
const HEAD: &str = "\
# Command line reference

Each command, with its arguments and options, as `refrain COMMAND --help` has them. This page is made from the program (`cargo renew-reference`); a test holds that it is up to date.

Data goes to stdout, talk to stderr. The exit code is 0 when all is well, 1 when the thing asked about is bad (failed, divergent, invalid), and 2 when it could not be done (usage, input, storage). An execution is named by its id, by the beginning of it, or as `@last`.
";

/// Options that clap gives to every command.
const OF_EVERY_COMMAND: [&str; 2] = ["help", "version"];

/// The reference of the commands of `program`, as a page in Markdown.
fn page(program: &mut Command) -> String {
    program.build();
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n## Options of all commands\n\nThey may stand before the command or after it.\n\n",
    );
    for option in program.get_arguments().filter(|it| is_shown(it)) {
        page.push_str(&line_of(option));
    }
    page.push_str("\n## Commands\n\n");
    for command in commands_of(program) {
        let path = format!("refrain {}", command.get_name());
        let about = command.get_about().map(ToString::to_string);
        let about = about.expect("a command says what it does");
        page.push_str(&format!("- [`{path}`](#{}): {about}\n", anchor(&path)));
    }
    for command in commands_of(program) {
        describe(command, "refrain", &mut page);
    }
    page
}

/// The section of a command, and those of its own commands.
fn describe(command: &Command, before: &str, page: &mut String) {
    let path = format!("{before} {}", command.get_name());
    page.push_str(&format!("\n### {path}\n\n"));
    let about = command.get_long_about().or(command.get_about());
    let about = about.expect("a command says what it does").to_string();
    page.push_str(&format!("{}\n", about.trim_end()));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    page.push_str(&format!("\n```text\n{usage}\n```\n"));
    let shown = |it: &&Arg| is_shown(it) && !it.is_global_set();
    let own: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !own.is_empty() {
        page.push('\n');
    }
    for argument in own {
        page.push_str(&line_of(argument));
    }
    for below in commands_of(command) {
        describe(below, &path, page);
    }
}

/// The commands below one, in the order of its help.
fn commands_of(command: &Command) -> impl Iterator<Item = &Command> {
    let all = command.get_subcommands();
    all.filter(|it| it.get_name() != "help" && !it.is_hide_set())
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !OF_EVERY_COMMAND.contains(&argument.get_id().as_str())
}

/// An argument or option as an item of a list: how it is written, and what it does.
fn line_of(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let help = help.unwrap_or_else(|| panic!("{argument} says nothing of itself"));
    let help = help.to_string().replace("\n\n", " ").replace('\n', " ");
    let mut line = format!("- `{}`: {help}", written(argument));
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|it| !it.is_hide_set() && takes_value(argument))
        .map(|it| format!("`{}`", it.get_name()))
        .collect();
    if !choices.is_empty() {
        line.push_str(&format!("; one of {}", choices.join(", ")));
    }
    let default: Vec<_> = argument.get_default_values().iter().collect();
    if let [default] = default[..]
        && takes_value(argument)
    {
        line.push_str(&format!(" (default: `{}`)", default.to_string_lossy()));
    }
    if let Some(variable) = argument.get_env() {
        line.push_str(&format!(" (environment: `{}`)", variable.to_string_lossy()));
    }
    line.push('\n');
    line
}

/// How it is written, with its short form.
fn written(argument: &Arg) -> String {
    let long = argument.clone().to_string();
    match argument.get_short() {
        Some(short) if argument.get_long().is_some() => format!("-{short}, {long}"),
        _ => long,
    }
}

fn takes_value(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

/// What a heading of the page is linked by.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

fn file() -> PathBuf {
    let host = env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
    PathBuf::from(host).join("../docs/command-line.md")
}

fn made_now() -> String {
    page(&mut super::Arguments::command())
}

#[test]
fn the_page_says_what_the_commands_say() {
    let kept = fs::read_to_string(file()).unwrap_or_default();
    assert!(
        kept == made_now(),
        "docs/command-line.md is not what the commands say now; type `cargo renew-reference`"
    );
}

#[test]
#[ignore = "it writes the page: `cargo renew-reference`"]
fn renew_the_reference() {
    fs::write(file(), made_now()).expect("the page can be written");
}
