//! The stamp next to a component: what it was built from, and with what.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// What a component was built from, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The digest of its sources, see [`super::sources`].
    pub sources: String,
    /// The compiler, see [`super::toolchain::Compiler::name`].
    pub compiler: String,
    /// What the compiler was asked for beyond the manifests.
    pub flags: Vec<String>,
    /// The SHA-256 of its bytes.
    pub component: String,
}

impl Stamp {
    /// Read a stamp.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the stamp {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no stamp", path.display()))
    }

    /// Write the stamp.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write the stamp {}", path.display()))
    }
}
