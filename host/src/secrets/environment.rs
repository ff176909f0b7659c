//! Secrets that the environment of this process has.

use std::env;

use super::source::Secrets;
use crate::error::WorkError;

/// What the names of variables begin with that hold secrets. No program that is started
/// is given these.
pub(crate) const PREFIX: &str = "REFRAIN_SECRET_";

/// Secrets from variables of the environment, for one tenant: the variable
/// `REFRAIN_SECRET_NAME` has the secret `NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentSecrets {
    tenant: String,
}

impl EnvironmentSecrets {
    /// They are this tenant's, and no other's.
    #[must_use]
    pub fn of_tenant(tenant: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
        }
    }
}

impl Secrets for EnvironmentSecrets {
    fn secret(&self, tenant: &str, name: &str) -> Result<Option<String>, WorkError> {
        if tenant != self.tenant {
            return Ok(None);
        }
        match env::var(format!("{PREFIX}{name}")) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                let said = format!("the secret {name} of the environment is no UTF-8");
                Err(WorkError::permanent(said).class("unusable_secret"))
            }
        }
    }
}
