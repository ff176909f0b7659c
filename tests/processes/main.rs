//! The binary as people run it: the command line, several processes on one file, kills.

mod command_line;
mod documented;
mod newcomer;
mod two_processes;
mod crash;
mod soak;
