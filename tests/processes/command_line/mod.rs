//! The command line: what a person types, and what comes back.
//!
//! `desk` is a folder to work in; `anchoring` heads that are noted and signed, `auditing` many logs at once, `beginning` a folder that is made, `beginnings` what another beginning would have led to, `below` what is told of instances and children, `kept` what is kept besides logs, `logs` where logs are read from, `printed` what of them is printed; `bad_input` has every way to get it wrong,
//! `codes` the words for what goes wrong, `clocks` a log that is ahead of the clock, `conformance` kits for auditors, `contract` what a scheduler is written from, `debugging` the debugger, `diffs` two logs side by side, `documents` what programs read,
//! `erasing` what every command says of an erased execution, `forking` forks, `graphs` what is drawn,
//! `helpful` what is said to who has typed almost the right thing,
//! `operating` executions that are spoken to while they live, `signing` erasures that are signed, `signals` what it
//! is sent and what it leaves behind, `outputs` what becomes of what is printed
//! and written, `own` what each is to work on, `own_scheduler` the commands of the page on that, `proxies` requests by way of them, `reports` executions as one HTML file, `hostile_text` text that would steer a terminal, `simulating` what
//! `--simulate` keeps apart, `stepping` what is paused and goes on step by step, `typed_back` what it says to type, `unresolved` failures that only the workflow explains, `upgrading` executions that are handed to another scheduler, `whatif` what another would have decided, `terminals` those that are narrow or know little,
//! `testing` tests of workflows, `timelines` charts of the time, `told_apart` the past and the present, `talking` what becomes of talk that nobody reads, `idle` what a program costs
//! that has nothing to do, `repairing` what is found out about failures and waits, `naming` how executions are named and found, `answers` what of an output is the answer, `yaml` workflows in YAML, `working` starting and working apart, `measuring` what a benchmark says and leaves behind.

mod anchoring;
mod answers;
mod auditing;
mod bad_database;
mod bad_input;
mod beginning;
mod beginnings;
mod below;
mod child_waits;
mod children;
mod clocks;
mod codes;
mod cold;
mod conformance;
mod contract;
mod debugging;
mod desk;
mod diffs;
mod documents;
mod encodings;
mod erasing;
mod forking;
mod graphs;
mod helpful;
mod hostile_text;
mod idle;
mod jamjet;
mod kept;
mod logs;
mod looking;
mod measuring;
mod minimizing;
mod naming;
mod operating;
mod outputs;
mod own;
mod own_scheduler;
mod printed;
mod proxies;
mod repairing;
mod reports;
mod secrets;
mod signals;
mod signing;
mod stepping;
mod simulating;
mod talking;
mod terminals;
mod testing;
mod timelines;
mod told_apart;
mod typed_back;
mod undoing;
mod unresolved;
mod unset;
mod whatif;
mod why_ended;
mod upgrading;
mod working;
mod yaml;
