//! The binary `refrain`: the library, from the command line.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
