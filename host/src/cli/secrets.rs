//! Where secrets come from that workflows name: a file, and the environment.

use std::path::PathBuf;

use refrain::Builder;
use refrain::limits::TENANT_DEFAULT;
use refrain::secrets::{EnvironmentSecrets, SecretsFile};

use super::coded::coded;

/// Where secrets come from.
#[derive(Clone, clap::Args)]
pub(super) struct SecretsSource {
    /// Secrets that workflows name: JSON, an object of names and values, or lines NAME=VALUE
    ///
    /// Nobody but the owner may have rights to the file. What it does not have is looked for
    /// in the environment: the secret NAME is the variable REFRAIN_SECRET_NAME.
    #[arg(long = "secrets", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl SecretsSource {
    /// The same, with the secrets of the file and of the environment.
    pub(super) fn given_to(&self, builder: Builder) -> anyhow::Result<Builder> {
        let builder = match &self.file {
            None => builder,
            Some(path) => {
                let file = SecretsFile::read(path, TENANT_DEFAULT);
                let file = file.map_err(|error| coded("secrets_file", error.to_string()))?;
                builder.secrets(file)
            }
        };
        Ok(builder.secrets(EnvironmentSecrets::of_tenant(TENANT_DEFAULT)))
    }
}
