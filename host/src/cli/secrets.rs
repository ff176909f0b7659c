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

/// Secrets that were read: those of a file, if one was named, and of the environment.
#[derive(Clone)]
pub(super) struct GivenSecrets(Option<SecretsFile>);

impl SecretsSource {
    /// Whether a file was named.
    pub(super) fn is_named(&self) -> bool {
        self.file.is_some()
    }

    /// Read the file, if one was named.
    pub(super) fn read(&self) -> anyhow::Result<GivenSecrets> {
        let file = self.file.as_ref();
        let file = file.map(|path| SecretsFile::read(path, TENANT_DEFAULT));
        let file = file
            .transpose()
            .map_err(|error| coded("secrets_file", error.to_string()))?;
        Ok(GivenSecrets(file))
    }
}

impl GivenSecrets {
    /// An engine with these; those of the file come before those of the environment.
    pub(super) fn to(&self, builder: Builder) -> Builder {
        let builder = match &self.0 {
            Some(file) => builder.secrets(file.clone()),
            None => builder,
        };
        builder.secrets(EnvironmentSecrets::of_tenant(TENANT_DEFAULT))
    }
}
