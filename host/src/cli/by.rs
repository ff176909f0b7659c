//! Who types a command, for the log.

use std::path::Path;

/// Who acts.
#[derive(Default, clap::Args)]
pub(super) struct By {
    /// Who does this, for the log; your login name, unless you say
    #[arg(long = "by", value_name = "WHO", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
}

impl By {
    /// The name that was given, else the user's login name.
    pub(super) fn who(&self) -> String {
        self.name.clone().unwrap_or_else(login_name)
    }
}

/// The user's login name: as the session has it, else as the system knows the
/// user, who has a number at least.
fn login_name() -> String {
    let of_session = ["LOGNAME", "USER", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    of_session.unwrap_or_else(of_system)
}

#[cfg(unix)]
fn of_system() -> String {
    let user = rustix::process::getuid().as_raw();
    let known = std::fs::read_to_string(Path::new("/etc/passwd")).unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("user {user}"))
}

#[cfg(not(unix))]
fn of_system() -> String {
    "unknown".to_owned()
}
