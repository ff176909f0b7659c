//! `refrain completions`: what a shell needs to complete what is typed.

use clap::CommandFactory;
use clap_complete::Shell;

use super::text::Text;
use super::{Answer, output};

/// Print the completions of a shell
///
/// For bash, for example: `refrain completions bash > ~/.local/share/bash-completion/completions/refrain`
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Answer {
    let mut script = Vec::new();
    let mut command = super::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "refrain", &mut script);
    output::data(&Text::laid_out(&String::from_utf8_lossy(&script)));
    Answer::Good
}
